package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"stripeline/producers/csvfile"
	"stripeline/schemas/client"
)

// Inference is the journey from separated values to a schema that they fit.
type Inference struct {
	File  string
	Name  string // of the record; "" takes it from the file
	CSV   CSVOptions
	Nulls []string
	Rows  int // look at so many at most; 0: all
}

// Run looks at the rows and gives the schema with what a person should look at.
func (i Inference) Run(ctx context.Context) (client.Inferred, error) {
	source, err := csvfile.Open(ctx, i.File, i.CSV)
	if err != nil {
		return client.Inferred{}, err
	}
	defer source.Close()
	name := i.Name
	if name == "" {
		name, _, _ = strings.Cut(filepath.Base(i.File), ".")
	}
	unsplit := 0
	next := func() ([]string, error) {
		for {
			row, err := source.Next(ctx)
			if err != nil {
				return nil, err
			}
			if row.Err != nil {
				unsplit++
				continue
			}
			cells := make([]string, len(row.Cells))
			for n, cell := range row.Cells {
				cells[n] = string(cell)
			}
			return cells, nil
		}
	}
	inferred, err := client.Infer(client.Table{Name: name, Header: source.Header(), Next: next}, client.InferOptions{Nulls: i.Nulls, Rows: i.Rows})
	if unsplit > 0 {
		inferred.Notes = append(inferred.Notes, fmt.Sprintf("%d rows could not be split and were passed over", unsplit))
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return inferred, err
}

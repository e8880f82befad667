package pipeline

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrTooManyRejects says that MaxRejects or MaxShare was exceeded.
var ErrTooManyRejects = errors.New("too many rejects")

// ErrRejectBound says that a text is neither a number of rejects nor a percentage.
var ErrRejectBound = errors.New("is no bound of rejects: give a number, as in 100, or a percentage, as in 0.5%")

// shareRows is how many rows must have been read before their share of rejects says anything, unless the text ends.
const shareRows = 1000

// ParseRejectBound reads "N" as MaxRejects or "P%" as MaxShare. 0 is no bound; 0% is not a share that rows can keep to, and is refused.
func ParseRejectBound(text string) (most int64, share float64, err error) {
	if number, ok := strings.CutSuffix(text, "%"); ok {
		share, err = strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsNaN(share) || share <= 0 || share > 100 {
			return 0, 0, fmt.Errorf("%q %w", text, ErrRejectBound)
		}
		return 0, share, nil
	}
	if most, err = strconv.ParseInt(text, 10, 64); err != nil || most < 0 {
		return 0, 0, fmt.Errorf("%q %w", text, ErrRejectBound)
	}
	return most, 0, nil
}

// tooMany is ErrTooManyRejects when there are more than may be, the share only where enough rows were read. A row that is a reject is not in read yet.
func (r *rowRun) tooMany(file string) error {
	if r.MaxRejects > 0 && r.rejects.filed > r.MaxRejects {
		return &unsendable{fmt.Errorf("%w: %d rows of %s do not fit, %d are allowed: see 'stripeline rejects ls %s'",
			ErrTooManyRejects, r.rejects.filed, file, r.MaxRejects, r.Topic)}
	}
	if r.read >= shareRows {
		return r.tooLargeShare(file)
	}
	return nil
}

// tooManyAtEnd looks at the share of a text that has ended, however short it is.
func (r *rowRun) tooManyAtEnd(s stream) error {
	if r.rejects.filed == 0 {
		return nil
	}
	return r.tooLargeShare(s.name)
}

func (r *rowRun) tooLargeShare(file string) error {
	if r.MaxShare == 0 || float64(r.rejects.filed)*100 <= r.MaxShare*float64(r.read) {
		return nil
	}
	return &unsendable{fmt.Errorf("%w: %d of %d rows of %s do not fit, %g%% are allowed: see 'stripeline rejects ls %s'",
		ErrTooManyRejects, r.rejects.filed, r.read, file, r.MaxShare, r.Topic)}
}

package schemas

import (
	"errors"
	"fmt"
)

// Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value []byte
}

// Rejection says why a record cannot be processed: the data is wrong and will stay wrong.
// A link files the original record, untouched, under `<topic>.rejects` with this reason and goes on.
// Every other error means that we, or the world, are wrong, and is retried.
type Rejection struct {
	Code    string   // one word for programs, as in "checksum" or "partition"
	Message string   // one line for people: what is wrong, where, what to do
	Headers []Header // further facts for the reject's headers
}

// Error gives code and message.
func (r *Rejection) Error() string { return fmt.Sprintf("rejected (%s): %s", r.Code, r.Message) }

// Reject gives the error that makes a link file the record as a reject.
func Reject(code, message string, headers ...Header) error {
	return &Rejection{Code: code, Message: message, Headers: headers}
}

// AsReject finds the Rejection in err's chain.
func AsReject(err error) (*Rejection, bool) {
	if err == nil {
		return nil, false // every row that fits asks: at no cost
	}
	var r *Rejection
	ok := errors.As(err, &r)
	return r, ok
}

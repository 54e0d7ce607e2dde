package accrete

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"accrete.example/accrete/accretev1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is what a call fails with. Find it by [errors.AsType], or compare by [errors.Is] with [ErrNotFound] and its like.
type Error struct {
	Code    codes.Code
	Message string
	// What failed, for programs: MODEL_NOT_FOUND. Empty when the error comes from no server of Accrete.
	Reason string
	// What Reason is about: the name of a model, a limit.
	Metadata map[string]string
	// The fields that are wrong, of an ErrInvalidArgument.
	Violations []Violation
	// When it is worth trying again. Zero: waiting does not help, or nobody knows.
	RetryAfter time.Duration
	// The batch that a [RatingStream] had refused.
	Ratings []*accretev1.Rating

	status *status.Status
}

// Violation is a field that the server refused.
type Violation struct {
	// Its path in the request: ratings[17].value.
	Field       string
	Description string
}

// What calls fail with, to compare by [errors.Is].
var (
	ErrCanceled           = &Error{Code: codes.Canceled}           // by the caller, usually
	ErrUnknown            = &Error{Code: codes.Unknown}            // something on the way failed without saying what
	ErrInvalidArgument    = &Error{Code: codes.InvalidArgument}    // the request is wrong in itself; see Violations
	ErrDeadlineExceeded   = &Error{Code: codes.DeadlineExceeded}   // no answer in time; a write may have been taken
	ErrNotFound           = &Error{Code: codes.NotFound}           // what the request names is not there
	ErrAlreadyExists      = &Error{Code: codes.AlreadyExists}      // what was to be made is there, and is another
	ErrPermissionDenied   = &Error{Code: codes.PermissionDenied}   // the caller is known, and may not do this
	ErrResourceExhausted  = &Error{Code: codes.ResourceExhausted}  // something is full; see RetryAfter
	ErrFailedPrecondition = &Error{Code: codes.FailedPrecondition} // the server's state does not allow it
	ErrAborted            = &Error{Code: codes.Aborted}            // somebody else is changing the same thing
	ErrOutOfRange         = &Error{Code: codes.OutOfRange}         // a revision that is not there yet, or no more
	ErrUnimplemented      = &Error{Code: codes.Unimplemented}      // the server, or the model, cannot do this
	ErrInternal           = &Error{Code: codes.Internal}           // the server has a defect
	ErrUnavailable        = &Error{Code: codes.Unavailable}        // not there, or stopping; a write may have been taken
	ErrDataLoss           = &Error{Code: codes.DataLoss}           // something on disk, or in a file, is damaged
	ErrUnauthenticated    = &Error{Code: codes.Unauthenticated}    // the server does not know who calls
)

func (e *Error) Error() string {
	return "accrete: " + cmp.Or(e.Reason, e.Code.String()) + ": " + e.Message
}

// Is tells that the target has the same code and, if it has one, the same reason.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code && (other.Reason == "" || other.Reason == e.Reason)
}

// GRPCStatus is the status as gRPC tells it, for [status.FromError].
func (e *Error) GRPCStatus() *status.Status {
	if e.status == nil {
		return status.New(e.Code, e.Message)
	}
	return e.status
}

// Whether the way to the server broke, so that nobody knows what became of the call.
func (e *Error) isLostConnection() bool {
	return e.Code == codes.Unavailable || e.Code == codes.Internal && e.Reason == ""
}

// The error of gRPC as one of ours; the address is where the server was looked for.
func typed(err error, address string) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	e := ofStatus(status.Convert(err))
	if e.Code == codes.Unavailable && len(e.status.Details()) == 0 {
		e.Message = fmt.Sprintf("no server answers at %s: start one, or give its address as host:port or unix:path (%s)",
			address, e.Message)
	}
	return e
}

func ofProto(answer *rpc.Status, ratings []*accretev1.Rating) *Error {
	err := ofStatus(status.FromProto(answer))
	err.Ratings = ratings
	return err
}

func ofStatus(s *status.Status) *Error {
	e := &Error{Code: s.Code(), Message: s.Message(), status: s}
	for _, detail := range s.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			e.Reason, e.Metadata = detail.Reason, detail.Metadata
		case *errdetails.BadRequest:
			for _, each := range detail.FieldViolations {
				e.Violations = append(e.Violations, Violation{each.Field, each.Description})
			}
		case *errdetails.RetryInfo:
			e.RetryAfter = detail.RetryDelay.AsDuration()
		}
	}
	return e
}

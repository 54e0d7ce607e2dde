// Interprets clients/conformance/scenario.json; the addresses are in the environment.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"accrete.example/accrete"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
)

// A value as JSON has it.
type object = map[string]any

// Takes the steps of a scenario, with what earlier ones saved.
type runner struct {
	client *accrete.Client
	saved  object
}

func main() {
	otel.SetTextMapPropagator(propagation.TraceContext{})
	text, err := os.ReadFile(os.Getenv("ACCRETE_SCENARIO"))
	must(err)
	var scenario struct {
		Groups []struct {
			Name  string
			Steps []object
		}
	}
	must(json.Unmarshal(text, &scenario))
	client, err := accrete.Connect("")
	must(err)
	r := &runner{client: client, saved: object{}}
	number, failed := 0, false
	for _, group := range scenario.Groups {
		for _, step := range group.Steps {
			number++
			name := fmt.Sprintf("%d %s: %s", number, group.Name, step["name"])
			if err := r.take(step); err != nil {
				fmt.Println("not ok", name, "-", err)
				failed = true
			} else {
				fmt.Println("ok", name)
			}
		}
	}
	must(r.client.Close())
	if failed {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		fmt.Println("not ok -", err)
		os.Exit(1)
	}
}

// Takes one step; the error says what did not go as it should.
func (r *runner) take(given object) error {
	step := r.fill(given).(object)
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": text(step["traceparent"])})
	answer, err := r.act(ctx, step)
	if wanted, ok := step["error"]; ok {
		return checkError(err, wanted.(object))
	}
	if err != nil {
		return err
	}
	if wanted, ok := step["expect"]; ok {
		if err := check(answer, wanted, "answer"); err != nil {
			return err
		}
	}
	saves, _ := step["save"].(object)
	for name, path := range saves {
		if r.saved[name], err = find(answer, path.(string)); err != nil {
			return err
		}
	}
	return nil
}

// What a step asks for; a new action is added here and in every other language.
func (r *runner) act(ctx context.Context, step object) (any, error) {
	switch step["do"] {
	case "call":
		return r.call(ctx, step)
	case "pages":
		return r.pages(ctx, step)
	case "rate":
		return r.rate(ctx, step)
	case "wait":
		return nil, r.client.WaitForRevision(ctx, text(step["revision"]))
	case "stream":
		return r.stream(ctx, step)
	case "control":
		return control(step)
	case "connect":
		return nil, r.connect(step)
	case "arm":
		return arm(step)
	case "vectors":
		return vectors()
	case "same":
		return nil, same(step["values"].([]any))
	default:
		return nil, fmt.Errorf("no action %v", step["do"])
	}
}

func checkError(err error, wanted object) error {
	failure, ok := errors.AsType[*accrete.Error](err)
	if !ok {
		return fmt.Errorf("no error of a call, but %w", errors.Join(errors.New("this"), err))
	}
	class, ok := classes[text(wanted["code"])]
	if !ok || !errors.Is(err, class) {
		return fmt.Errorf("the error is not %v, but %w", wanted["code"], err)
	}
	return check(describe(failure), wanted, "error")
}

// What errors are compared with, by the names that the scenario has.
var classes = map[string]error{
	"CANCELLED":           accrete.ErrCanceled,
	"UNKNOWN":             accrete.ErrUnknown,
	"INVALID_ARGUMENT":    accrete.ErrInvalidArgument,
	"DEADLINE_EXCEEDED":   accrete.ErrDeadlineExceeded,
	"NOT_FOUND":           accrete.ErrNotFound,
	"ALREADY_EXISTS":      accrete.ErrAlreadyExists,
	"PERMISSION_DENIED":   accrete.ErrPermissionDenied,
	"RESOURCE_EXHAUSTED":  accrete.ErrResourceExhausted,
	"FAILED_PRECONDITION": accrete.ErrFailedPrecondition,
	"ABORTED":             accrete.ErrAborted,
	"OUT_OF_RANGE":        accrete.ErrOutOfRange,
	"UNIMPLEMENTED":       accrete.ErrUnimplemented,
	"INTERNAL":            accrete.ErrInternal,
	"UNAVAILABLE":         accrete.ErrUnavailable,
	"DATA_LOSS":           accrete.ErrDataLoss,
	"UNAUTHENTICATED":     accrete.ErrUnauthenticated,
}

// An error as the scenario writes it.
func describe(err *accrete.Error) object {
	fields := []any{}
	for _, violation := range err.Violations {
		fields = append(fields, violation.Field)
	}
	metadata := object{}
	for key, value := range err.Metadata {
		metadata[key] = value
	}
	var code string
	for name, class := range classes {
		if errors.Is(err, class) {
			code = name
		}
	}
	return object{
		"code": code, "reason": err.Reason, "fields": fields, "metadata": metadata,
		"retryMs": float64(err.RetryAfter.Milliseconds()), "ratings": float64(len(err.Ratings)),
	}
}

// A value with what was saved in place of its ${name}.
func (r *runner) fill(value any) any {
	switch value := value.(type) {
	case string:
		if name, ok := strings.CutPrefix(value, "${"); ok {
			return r.saved[strings.TrimSuffix(name, "}")]
		}
	case []any:
		filled := make([]any, len(value))
		for index, each := range value {
			filled[index] = r.fill(each)
		}
		return filled
	case object:
		filled := object{}
		for key, each := range value {
			filled[key] = r.fill(each)
		}
		return filled
	}
	return value
}

func text(value any) string {
	text, _ := value.(string)
	return text
}

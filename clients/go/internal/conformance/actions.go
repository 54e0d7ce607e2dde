package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"accrete.example/accrete"
	"accrete.example/accrete/accretev1"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// A call of the contract, found by its name: "UserService/GetUser".
type method struct {
	protoreflect.MethodDescriptor
	path string
}

func findMethod(name string) (method, error) {
	service, call, _ := strings.Cut(name, "/")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("accrete.v1." + service))
	if err != nil {
		return method{}, err
	}
	descriptor := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(call))
	return method{descriptor, "/accrete.v1." + name}, nil
}

func newMessage(descriptor protoreflect.MessageDescriptor) proto.Message {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName())
	must(err)
	return kind.New().Interface()
}

// Any call of the contract; the answers of a stream are messages.
func (r *runner) call(ctx context.Context, step object) (any, error) {
	method, err := findMethod(text(step["method"]))
	if err != nil {
		return nil, err
	}
	if timeout, ok := step["timeoutMs"].(float64); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(timeout)*time.Millisecond)
		defer cancel()
	}
	if after, ok := step["cancelAfterMs"].(float64); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer time.AfterFunc(time.Duration(after)*time.Millisecond, cancel).Stop()
	}
	requests := []any{step["request"]}
	if many, ok := step["requests"].([]any); ok {
		requests = many
	}
	if !method.IsStreamingClient() && !method.IsStreamingServer() {
		request, reply := newMessage(method.Input()), newMessage(method.Output())
		if err := fromJSON(requests[0], request); err != nil {
			return nil, err
		}
		if err := r.client.Connection().Invoke(ctx, method.path, request, reply); err != nil {
			return nil, err
		}
		return toJSON(reply)
	}
	return r.streamed(ctx, method, requests)
}

func (r *runner) streamed(ctx context.Context, method method, requests []any) (any, error) {
	description := &grpc.StreamDesc{ClientStreams: method.IsStreamingClient(), ServerStreams: method.IsStreamingServer()}
	stream, err := r.client.Connection().NewStream(ctx, description, method.path)
	if err != nil {
		return nil, err
	}
	for _, each := range requests {
		if fields, _ := each.(object); fields["progress"] != nil {
			continue
		}
		request := newMessage(method.Input())
		if err := fromJSON(each, request); err != nil {
			return nil, err
		}
		if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	messages := []any{}
	for {
		reply := newMessage(method.Output())
		err := stream.RecvMsg(reply)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		message, err := toJSON(reply)
		if err != nil || !method.IsStreamingServer() {
			return message, err
		}
		messages = append(messages, message)
	}
	return object{"messages": messages}, nil
}

// An answer that may not be the last.
type page interface {
	proto.Message
	GetNextPageToken() string
}

// All that an answer in pages has.
func (r *runner) pages(ctx context.Context, step object) (any, error) {
	method, err := findMethod(text(step["method"]))
	if err != nil {
		return nil, err
	}
	call := func(ctx context.Context, request proto.Message, options ...grpc.CallOption) (page, error) {
		reply := newMessage(method.Output()).(page)
		return reply, r.client.Connection().Invoke(ctx, method.path, request, reply, options...)
	}
	request := newMessage(method.Input())
	if err := fromJSON(step["request"], request); err != nil {
		return nil, err
	}
	count, items := 0.0, []any{}
	for page, err := range accrete.Pages(ctx, call, request) {
		if err != nil {
			return nil, err
		}
		fields, err := toJSON(page)
		if err != nil {
			return nil, err
		}
		some, _ := fields.(object)[text(step["items"])].([]any)
		items = append(items, some...)
		count++
	}
	return object{"pages": count, "items": items}, nil
}

// A batch by the client's own method.
func (r *runner) rate(ctx context.Context, step object) (any, error) {
	var request accretev1.RateRequest
	if err := fromJSON(object{"ratings": step["ratings"]}, &request); err != nil {
		return nil, err
	}
	answer, err := r.client.Rate(ctx, request.Ratings...)
	if err != nil {
		return nil, err
	}
	return toJSON(answer)
}

// Many ratings by a stream, with something that happens on the way.
func (r *runner) stream(ctx context.Context, step object) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mutex sync.Mutex
	refusals := []any{}
	options := accrete.StreamOptions{BatchSize: int(step["batchSize"].(float64))}
	if step["listen"] == true {
		options.OnRefused = func(err *accrete.Error) {
			mutex.Lock()
			defer mutex.Unlock()
			refusals = append(refusals, describe(err))
		}
	}
	stream := r.client.RatingStream(ctx, options)
	begun, early := time.Now(), 0.0
	for k, rating := range ratingsOf(step) {
		if at, ok := step["at"].(float64); ok && k == int(at) {
			if _, err := control(step["control"].(object)); err != nil {
				return nil, err
			}
		}
		if err := stream.Send(rating); err != nil {
			return nil, err
		}
		if time.Since(begun) < 500*time.Millisecond {
			early++
		}
	}
	summary, err := stream.Close()
	if err != nil {
		return nil, err
	}
	mutex.Lock()
	defer mutex.Unlock()
	return object{
		"accepted": float64(summary.Accepted), "refused": float64(summary.Refused), "revision": summary.Revision,
		"duplicates": float64(summary.Duplicates), "resumes": float64(summary.Resumes), "early": early, "refusals": refusals,
	}, nil
}

// The ratings of a stream, made by number: clicks, which are counted each, and maybe a bad one among them.
func ratingsOf(step object) []*accretev1.Rating {
	user := text(step["user"])
	ratings := make([]*accretev1.Rating, int(step["count"].(float64)))
	for k := range ratings {
		if step["distinct"] == true {
			ratings[k] = &accretev1.Rating{
				UserId: fmt.Sprintf("%s-%d", user, k%40), ItemId: fmt.Sprintf("item-%d", k/40), Value: new(float64(1 + k*7919%101%5)),
			}
			continue
		}
		ratings[k] = &accretev1.Rating{
			UserId: fmt.Sprintf("%s-%d", user, k%7), ItemId: fmt.Sprintf("item-%d", k%50), Kind: "click",
		}
	}
	if bad, ok := step["bad"].(float64); ok {
		ratings[int(bad)] = &accretev1.Rating{UserId: user, ItemId: "bad", Value: new(99.0)}
	}
	return ratings
}

// Tells the test what to do with the server, or between it and us.
func control(step object) (any, error) {
	body, err := json.Marshal(step["body"])
	if err != nil {
		return nil, err
	}
	if step["body"] == nil {
		body = []byte("{}")
	}
	response, err := http.Post(os.Getenv("ACCRETE_CONTROL")+text(step["path"]), "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var value any
	err = json.Unmarshal(answer, &value)
	return value, err
}

// Compares what was saved.
func same(values []any) error {
	for _, value := range values {
		if !reflect.DeepEqual(value, values[0]) {
			return fmt.Errorf("these differ: %v", values)
		}
	}
	return nil
}

func fromJSON(value any, message proto.Message) error {
	if value == nil {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(text, message)
}

func toJSON(message proto.Message) (any, error) {
	text, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	var value any
	err = json.Unmarshal(text, &value)
	return value, err
}

// Receiver takes OTLP by OpenTelemetry's own definitions, over gRPC and over HTTP: every request that it is sent
// becomes a line of JSON. Its first line has its two addresses.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const bodyBytesMax = 64 << 20

var output sync.Mutex

func write(line []byte, err error) {
	if err != nil {
		log.Fatal(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Fprintf(os.Stdout, "%s\n", line)
}

func tell(protocol string, request proto.Message) {
	text, err := protojson.Marshal(request)
	if err != nil {
		log.Fatal(err)
	}
	write(json.Marshal(map[string]any{"protocol": protocol, "request": json.RawMessage(text)}))
}

type traces struct {
	tracepb.UnimplementedTraceServiceServer
}

func (traces) Export(_ context.Context, request *tracepb.ExportTraceServiceRequest) (*tracepb.ExportTraceServiceResponse, error) {
	tell("grpc", request)
	return &tracepb.ExportTraceServiceResponse{}, nil
}

type metrics struct {
	metricspb.UnimplementedMetricsServiceServer
}

func (metrics) Export(_ context.Context, request *metricspb.ExportMetricsServiceRequest) (*metricspb.ExportMetricsServiceResponse, error) {
	tell("grpc", request)
	return &metricspb.ExportMetricsServiceResponse{}, nil
}

// takes answers posts of one sort of request, as a new message of it, in protobuf.
func takes(create func() proto.Message) http.HandlerFunc {
	return func(response http.ResponseWriter, post *http.Request) {
		request := create()
		body, err := io.ReadAll(http.MaxBytesReader(response, post.Body, bodyBytesMax))
		if err == nil {
			err = proto.Unmarshal(body, request)
		}
		if err != nil || post.Header.Get("content-type") != "application/x-protobuf" {
			http.Error(response, fmt.Sprint("no protobuf: ", err), http.StatusBadRequest)
			return
		}
		tell("http/protobuf", request)
		response.Header().Set("content-type", "application/x-protobuf")
	}
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func main() {
	server := grpc.NewServer()
	tracepb.RegisterTraceServiceServer(server, traces{})
	metricspb.RegisterMetricsServiceServer(server, metrics{})
	mux := http.NewServeMux()
	mux.Handle("POST /v1/traces", takes(func() proto.Message { return &tracepb.ExportTraceServiceRequest{} }))
	mux.Handle("POST /v1/metrics", takes(func() proto.Message { return &metricspb.ExportMetricsServiceRequest{} }))

	overGrpc, overHTTP := listen(), listen()
	write(json.Marshal(map[string]string{"grpc": overGrpc.Addr().String(), "http/protobuf": overHTTP.Addr().String()}))
	go func() { log.Fatal(http.Serve(overHTTP, mux)) }()
	log.Fatal(server.Serve(overGrpc))
}

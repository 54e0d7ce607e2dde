// Command blast sends unary gRPC requests on one HTTP/2 connection, a fixed number in flight, and checks the grpc-status
// of every answer. It writes raw frames: a CPU second takes it through some 200,000 requests, so that a machine of few
// cores is left to the server. The last line of its output is JSON.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"os"
	"runtime"
	"sort"
	"syscall"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const windowBytes = 1 << 30

type result struct {
	Calls      int            `json:"calls"`
	Seconds    float64        `json:"seconds"`
	CPUSeconds float64        `json:"cpuSeconds"`
	Bytes      int64          `json:"bytes"`
	Status     map[string]int `json:"status"`
	P50        float64        `json:"p50Us"`
	P99        float64        `json:"p99Us"`
	// Of the calls that ended with OK.
	AcceptedP50 float64 `json:"acceptedP50Us"`
	AcceptedP99 float64 `json:"acceptedP99Us"`
	// How many of those were answered while requests were still being sent.
	AcceptedInTime int `json:"acceptedInTime"`
}

func main() {
	address := flag.String("address", "127.0.0.1:50051", "host:port of the server")
	path := flag.String("path", "/grpc.health.v1.Health/Check", "path of the method")
	file := flag.String("messages", "", "file of messages, each with gRPC's prefix of 5 bytes; they are sent in turn")
	calls := flag.Int("calls", 10000, "requests to send")
	inFlight := flag.Int("inflight", 32, "requests in flight; with a rate: of each connection, at most")
	rate := flag.Float64("rate", 0, "requests to send a second, whether or not answers come; 0: as fast as they come")
	seconds := flag.Float64("seconds", 10, "how long, with a rate")
	connections := flag.Int("connections", 1, "how many, with a rate")
	flag.StringVar(&token, "token", "", "token that is shown with each request")
	ca := flag.String("ca", "", "TLS, by this authority (PEM); with a rate: none")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	content, err := os.ReadFile(*file)
	check(err)
	if *rate > 0 {
		o := openLoop{perSecond: *rate, seconds: *seconds, inFlightMax: *inFlight}
		check(json.NewEncoder(os.Stdout).Encode(o.run(*address, *path, split(content), *connections)))
		return
	}
	conn := dial(*address, *ca)
	b := newBlast(conn, *address, *path, split(content))
	b.run(*calls, *inFlight)
	check(json.NewEncoder(os.Stdout).Encode(b.result()))
}

// token is shown with each request, if there is one.
var token string

func dial(address, ca string) net.Conn {
	if ca == "" {
		conn, err := net.Dial("tcp", address)
		check(err)
		return conn
	}
	trusted, err := os.ReadFile(ca)
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}})
	check(err)
	return conn
}

// split cuts a file of messages behind each of them; the prefix stays, as it goes over the wire.
func split(content []byte) [][]byte {
	var messages [][]byte
	for len(content) > 0 {
		end := 5 + int(binary.BigEndian.Uint32(content[1:5]))
		messages = append(messages, content[:end])
		content = content[end:]
	}
	if len(messages) == 0 {
		log.Fatal("there are no messages to send")
	}
	return messages
}

type blast struct {
	writer   *bufio.Writer
	reader   *bufio.Reader
	framer   *http2.Framer
	headers  []byte
	decoder  *hpack.Decoder
	messages [][]byte
	// What the server takes on this connection before it must say that it takes more.
	window int64
	// The requests that the server takes at once on this connection; until its settings came, 100.
	inFlightMax int
	greeted     bool
	// The grpc-status of the header block that was read last; "" when it had none.
	lastStatus string
	started    time.Time
	seconds    float64
	// By request: when it was sent, in nanoseconds since the start.
	sent      []int64
	latencies []int64
	// Those of the calls that ended with OK.
	accepted       []int64
	answeredInTime int
	done           int
	bytes          int64
	status         map[string]int
}

func newBlast(conn net.Conn, address, path string, messages [][]byte) *blast {
	b := &blast{
		writer:      bufio.NewWriterSize(conn, 64<<10),
		reader:      bufio.NewReaderSize(conn, 64<<10),
		headers:     encodeHeaders(address, path),
		messages:    messages,
		window:      65535,
		inFlightMax: 100,
		status:      map[string]int{},
	}
	b.framer = http2.NewFramer(b.writer, b.reader)
	b.framer.SetReuseFrames()
	b.decoder = hpack.NewDecoder(4096, func(field hpack.HeaderField) {
		if field.Name == "grpc-status" {
			b.lastStatus = field.Value
		}
	})
	_, err := b.writer.WriteString(http2.ClientPreface)
	check(err)
	check(b.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: windowBytes}))
	check(b.framer.WriteWindowUpdate(0, windowBytes))
	return b
}

// encodeHeaders makes one header block for all requests: without a dynamic table its bytes mean the same every time.
func encodeHeaders(address, path string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSize(0)
	for _, field := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", address},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		check(encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
	}
	if token != "" {
		check(encoder.WriteField(hpack.HeaderField{Name: "authorization", Value: "Bearer " + token}))
	}
	return block.Bytes()
}

func (b *blast) run(calls, inFlight int) {
	b.started = time.Now()
	for b.done < calls {
		for len(b.sent) < calls && len(b.sent)-b.done < inFlight && b.send() {
		}
		if b.reader.Buffered() == 0 {
			check(b.writer.Flush())
		}
		b.receive()
	}
	b.seconds = time.Since(b.started).Seconds()
}

// send is false when the server takes no more at the moment.
func (b *blast) send() bool {
	message := b.messages[len(b.sent)%len(b.messages)]
	if b.window < int64(len(message)) || len(b.sent)-b.done >= b.inFlightMax {
		return false
	}
	id := uint32(1 + 2*len(b.sent))
	b.sent = append(b.sent, int64(time.Since(b.started)))
	check(b.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b.headers, EndHeaders: true}))
	check(b.framer.WriteData(id, true, message))
	b.window -= int64(len(message))
	return true
}

func (b *blast) receive() {
	frame, err := b.framer.ReadFrame()
	check(err)
	b.handle(frame)
}

func (b *blast) handle(frame http2.Frame) {
	switch frame := frame.(type) {
	case *http2.HeadersFrame:
		if !frame.HeadersEnded() {
			log.Fatal("a header block came in parts, which is not supported")
		}
		b.lastStatus = ""
		_, err := b.decoder.Write(frame.HeaderBlockFragment())
		check(err)
		check(b.decoder.Close())
		if frame.StreamEnded() {
			b.finish(frame.StreamID, b.lastStatus)
		}
	case *http2.DataFrame:
		b.bytes += int64(len(frame.Data()))
		if b.bytes > windowBytes {
			log.Fatal("the answers are larger than the window: send fewer calls")
		}
	case *http2.RSTStreamFrame:
		b.finish(frame.StreamID, "reset: "+frame.ErrCode.String())
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			if !b.greeted {
				b.greeted = true
				b.inFlightMax = math.MaxInt32
			}
			if streams, told := frame.Value(http2.SettingMaxConcurrentStreams); told {
				b.inFlightMax = int(streams)
			}
			check(b.framer.WriteSettingsAck())
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			check(b.framer.WritePing(true, frame.Data))
		}
	case *http2.WindowUpdateFrame:
		if frame.StreamID == 0 {
			b.window += int64(frame.Increment)
		}
	case *http2.GoAwayFrame:
		log.Fatalf("the server closed the connection: %v", frame)
	}
}

func (b *blast) finish(stream uint32, status string) {
	b.status[status]++
	latency := int64(time.Since(b.started)) - b.sent[stream/2]
	b.latencies = append(b.latencies, latency)
	if status == "0" {
		b.accepted = append(b.accepted, latency)
	}
	b.done++
}

func (b *blast) result() result {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	p50, p99 := quantiles(b.latencies)
	acceptedP50, acceptedP99 := quantiles(b.accepted)
	return result{
		b.done, b.seconds, cpu, b.bytes, b.status, p50, p99, acceptedP50, acceptedP99, b.answeredInTime,
	}
}

// quantiles are the median and the 99th percentile, in microseconds.
func quantiles(latencies []int64) (float64, float64) {
	if len(latencies) == 0 {
		return 0, 0
	}
	sort.Slice(latencies, func(i, j int) bool { return latencies[i] < latencies[j] })
	microseconds := func(part float64) float64 {
		return float64(latencies[int(part*float64(len(latencies)-1))]) / 1e3
	}
	return microseconds(.5), microseconds(.99)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "blast:", err)
		os.Exit(1)
	}
}

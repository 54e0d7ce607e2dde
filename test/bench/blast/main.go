// Command blast sends unary gRPC requests on one HTTP/2 connection, a fixed number in flight, and checks the grpc-status
// of every answer. It writes raw frames: a CPU second takes it through some 200,000 requests, so that a machine of few
// cores is left to the server. The last line of its output is JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
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
}

func main() {
	address := flag.String("address", "127.0.0.1:50051", "host:port of the server")
	path := flag.String("path", "/grpc.health.v1.Health/Check", "path of the method")
	file := flag.String("messages", "", "file of messages, each with gRPC's prefix of 5 bytes; they are sent in turn")
	calls := flag.Int("calls", 10000, "requests to send")
	inFlight := flag.Int("inflight", 32, "requests in flight")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	content, err := os.ReadFile(*file)
	check(err)
	conn, err := net.Dial("tcp", *address)
	check(err)
	b := newBlast(conn, *address, *path, split(content))
	b.run(*calls, *inFlight)
	check(json.NewEncoder(os.Stdout).Encode(b.result()))
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
	// The grpc-status of the header block that was read last; "" when it had none.
	lastStatus string
	started    time.Time
	seconds    float64
	// By request: when it was sent, in nanoseconds since the start.
	sent      []int64
	latencies []int64
	done      int
	bytes     int64
	status    map[string]int
}

func newBlast(conn net.Conn, address, path string, messages [][]byte) *blast {
	b := &blast{
		writer:   bufio.NewWriterSize(conn, 64<<10),
		reader:   bufio.NewReaderSize(conn, 64<<10),
		headers:  encodeHeaders(address, path),
		messages: messages,
		window:   65535,
		status:   map[string]int{},
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

// send is false when the server takes no more for now.
func (b *blast) send() bool {
	message := b.messages[len(b.sent)%len(b.messages)]
	if b.window < int64(len(message)) {
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
	switch frame := frame.(type) {
	case *http2.HeadersFrame:
		if !frame.HeadersEnded() {
			log.Fatal("a header block came in parts, which is not supported")
		}
		b.lastStatus = ""
		_, err = b.decoder.Write(frame.HeaderBlockFragment())
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
	b.latencies = append(b.latencies, int64(time.Since(b.started))-b.sent[stream/2])
	b.done++
}

func (b *blast) result() result {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	sort.Slice(b.latencies, func(i, j int) bool { return b.latencies[i] < b.latencies[j] })
	microseconds := func(part float64) float64 {
		return float64(b.latencies[int(part*float64(len(b.latencies)-1))]) / 1e3
	}
	return result{b.done, b.seconds, cpu, b.bytes, b.status, microseconds(.5), microseconds(.99)}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "blast:", err)
		os.Exit(1)
	}
}

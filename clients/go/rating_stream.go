package accrete

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"accrete.example/accrete/accretev1"

	"google.golang.org/grpc/codes"
)

const (
	firstWait   = 100 * time.Millisecond
	longestWait = time.Second
)

// ErrClosed is what [RatingStream.Send] answers after the end.
var ErrClosed = errors.New("accrete: the stream is closed")

// StreamOptions changes how a [RatingStream] works; what is zero has a default.
type StreamOptions struct {
	BatchSize   int           // ratings of a batch, at most; 500
	MaxInFlight int           // batches that may wait for their answers; 8
	GiveUpAfter time.Duration // how long the server may be away while ratings wait for it; a minute
	// Is told of every batch that the server refuses, by another goroutine. Without it, the first one ends the stream.
	OnRefused func(*Error)
}

// RatingStream sends ratings in batches. Send waits while as much as allowed is under way, so that a fast producer does
// not outrun the server. When the connection breaks, what was not answered is sent again with the same request ids, so
// that nothing is lost and nothing is learned twice.
type RatingStream struct {
	recommender accretev1.RecommenderServiceClient
	options     StreamOptions
	cancel      context.CancelFunc
	done        chan struct{}

	mutex      sync.Mutex
	changed    *sync.Cond
	window     window
	err        error
	closing    bool
	wait       time.Duration
	progressAt time.Time
}

// RatingStream opens a stream for many ratings, which lasts until Close, or until the context ends.
func (c *Client) RatingStream(ctx context.Context, options StreamOptions) *RatingStream {
	if options.BatchSize <= 0 {
		options.BatchSize = 500
	}
	if options.MaxInFlight <= 0 {
		options.MaxInFlight = 8
	}
	if options.GiveUpAfter <= 0 {
		options.GiveUpAfter = time.Minute
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &RatingStream{
		recommender: c.Recommender,
		options:     options,
		cancel:      cancel,
		done:        make(chan struct{}),
		window:      window{batchSize: options.BatchSize, size: options.MaxInFlight},
		wait:        firstWait,
		progressAt:  time.Now(),
	}
	s.changed = sync.NewCond(&s.mutex)
	go s.run(ctx)
	return s
}

// Summary is what became of the ratings so far.
func (s *RatingStream) Summary() Summary {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.window.summary
}

// Send takes a rating; it waits while too much is under way. The error is what ended the stream.
func (s *RatingStream) Send(rating *accretev1.Rating) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closing {
		return ErrClosed
	}
	if err := s.until(func() bool { return !s.window.isFull() }); err != nil {
		return err
	}
	if s.window.isEmpty() {
		s.progressAt = time.Now()
	}
	s.window.gathering = append(s.window.gathering, rating)
	s.changed.Broadcast()
	return nil
}

// Flush waits until everything that was sent is answered.
func (s *RatingStream) Flush() (Summary, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	err := s.until(s.window.isEmpty)
	return s.window.summary, err
}

// Close waits until everything is answered, and ends the stream. To give up what is not, cancel the context first.
func (s *RatingStream) Close() (Summary, error) {
	summary, err := s.Flush()
	s.mutex.Lock()
	s.closing = true
	s.changed.Broadcast()
	s.mutex.Unlock()
	if err != nil {
		s.cancel()
	}
	<-s.done
	s.cancel()
	return summary, err
}

func (s *RatingStream) until(isTrue func() bool) error {
	for s.err == nil && !isTrue() {
		s.changed.Wait()
	}
	return s.err
}

func (s *RatingStream) fail(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.changed.Broadcast()
}

func (s *RatingStream) mustStop() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.closing || s.err != nil
}

func (s *RatingStream) run(ctx context.Context) {
	defer close(s.done)
	defer context.AfterFunc(ctx, func() { s.fail(context.Cause(ctx)) })()
	for !s.mustStop() {
		err := s.followOneConnection(ctx)
		if err == nil {
			err = &Error{Code: codes.Unavailable, Message: "the server ended the stream"}
		}
		if lost, ok := errors.AsType[*Error](err); !ok || !lost.isLostConnection() {
			s.fail(err)
			return
		}
		s.mutex.Lock()
		wait := s.wait
		s.wait = min(2*s.wait, longestWait)
		isLong := !s.window.isEmpty() && time.Since(s.progressAt) > s.options.GiveUpAfter && !s.closing
		s.mutex.Unlock()
		if isLong {
			s.fail(err)
			return
		}
		if !s.mustStop() {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
		}
	}
}

func (s *RatingStream) followOneConnection(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := s.recommender.RateStream(ctx)
	if err != nil {
		cancel()
		return err
	}
	var sending sync.WaitGroup
	var ended bool
	defer sending.Wait()
	defer func() {
		cancel()
		s.mutex.Lock()
		ended = true
		s.changed.Broadcast()
		s.mutex.Unlock()
	}()
	s.mutex.Lock()
	s.window.connect()
	s.mutex.Unlock()
	sending.Go(func() {
		for {
			request := s.awaitDue(&ended)
			if request == nil {
				_ = stream.CloseSend()
				return
			}
			if stream.Send(request) != nil {
				return // Recv tells why
			}
		}
	})
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.take(answer)
	}
}

// What to send next on a connection, or nil when it ended, or nothing more will come.
func (s *RatingStream) awaitDue(ended *bool) *accretev1.RateStreamRequest {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for !*ended && !s.closing && s.err == nil && !s.window.isDue() {
		s.changed.Wait()
	}
	if *ended || !s.window.isDue() {
		return nil
	}
	return s.window.next()
}

func (s *RatingStream) take(answer *accretev1.RateStreamResponse) {
	s.mutex.Lock()
	refusal := s.window.answered(answer)
	s.progressAt = time.Now()
	s.wait = firstWait
	s.changed.Broadcast()
	s.mutex.Unlock()
	switch {
	case refusal == nil:
	case s.options.OnRefused != nil:
		s.options.OnRefused(refusal)
	default:
		s.fail(refusal)
	}
}

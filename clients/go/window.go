package accrete

import (
	"crypto/rand"

	"accrete.example/accrete/accretev1"
)

// Summary is what became of the ratings of a stream so far.
type Summary struct {
	Accepted   int    // ratings that were learned
	Refused    int    // ratings of batches that the server refused
	Batches    int    // batches that were answered
	Duplicates int    // batches among them that had been learned before their connection broke, and were not learned again
	Resumes    int    // how often the stream was taken up again
	Revision   string // the latest revision: MinRevision of a recommendation that shall see all of it
}

// The batches of a rating stream: those to be sent, and those that wait for an answer. Ratings become a batch when there
// are enough of them, or nothing else is under way: one batch gathers while another is learned. Answers come in order.
type window struct {
	batchSize   int
	size        int // batches that may wait for their answers
	summary     Summary
	gathering   []*accretev1.Rating
	unanswered  []*accretev1.RateStreamRequest
	sent        int
	connections int
}

func (w *window) isFull() bool { return len(w.gathering) >= w.batchSize }

func (w *window) isEmpty() bool { return len(w.gathering) == 0 && len(w.unanswered) == 0 }

// Whether there is something to send now.
func (w *window) isDue() bool {
	if w.sent < len(w.unanswered) {
		return true
	}
	return len(w.gathering) > 0 && w.sent < w.size && (w.sent == 0 || w.isFull())
}

// What to send now, when something is due.
func (w *window) next() *accretev1.RateStreamRequest {
	if w.sent == len(w.unanswered) {
		w.unanswered = append(w.unanswered, &accretev1.RateStreamRequest{RequestId: newRequestID(), Ratings: w.gathering})
		w.gathering = nil
	}
	w.sent++
	return w.unanswered[w.sent-1]
}

// Takes an answer to the oldest batch; the error, if it was refused.
func (w *window) answered(answer *accretev1.RateStreamResponse) *Error {
	ratings := w.unanswered[0].Ratings
	w.unanswered = w.unanswered[1:]
	w.sent--
	w.summary.Batches++
	if answer.Error != nil {
		w.summary.Refused += len(ratings)
		return ofProto(answer.Error, ratings)
	}
	w.summary.Accepted += int(answer.AcceptedCount)
	if answer.Duplicate {
		w.summary.Duplicates++
	}
	w.summary.Revision = max(w.summary.Revision, answer.Revision)
	return nil
}

// Begins on a new connection: what was not answered on the one before is sent again, with its request ids.
func (w *window) connect() {
	w.sent = 0
	w.summary.Resumes = w.connections
	w.connections++
}

func newRequestID() string { return rand.Text() }

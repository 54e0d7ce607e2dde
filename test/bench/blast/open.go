package main

import (
	"net"
	"sync"
	"time"
)

// openLoop sends at a rate, whether or not answers come, on several connections: what clients do that do not know of each
// other. A request is not sent when its connection takes no more, or has too many in flight.
type openLoop struct {
	perSecond   float64
	seconds     float64
	inFlightMax int
}

// connection is a blast that is written by one goroutine and read by another.
type connection struct {
	*blast
	state  sync.Mutex
	writes sync.Mutex
	unsent int
}

func (o openLoop) run(address, path string, messages [][]byte, count int) result {
	var all sync.WaitGroup
	connections := make([]*connection, count)
	for i := range connections {
		conn, err := net.Dial("tcp", address)
		check(err)
		c := &connection{blast: newBlast(conn, address, path, messages)}
		connections[i] = c
		c.started = time.Now()
		go c.read()
		all.Add(1)
		go func() {
			defer all.Done()
			c.write(o, o.perSecond/float64(count))
		}()
	}
	all.Wait()
	return merge(connections, o.seconds)
}

// read handles what comes until the process ends.
func (c *connection) read() {
	for {
		frame, err := c.framer.ReadFrame()
		check(err)
		c.state.Lock()
		c.writes.Lock()
		c.handle(frame)
		if c.reader.Buffered() == 0 {
			check(c.writer.Flush())
		}
		c.writes.Unlock()
		c.state.Unlock()
	}
}

// write sends what is due, and then waits some time for the last answers.
func (c *connection) write(o openLoop, perSecond float64) {
	due := 0
	for elapsed := 0.0; elapsed < o.seconds; elapsed = time.Since(c.started).Seconds() {
		c.state.Lock()
		c.writes.Lock()
		for ; float64(due) < elapsed*perSecond; due++ {
			if len(c.sent)-c.done >= o.inFlightMax || !c.send() {
				c.unsent++
			}
		}
		c.state.Unlock()
		check(c.writer.Flush())
		c.writes.Unlock()
		time.Sleep(2 * time.Millisecond)
	}
	c.state.Lock()
	c.seconds = time.Since(c.started).Seconds()
	answered := c.status["0"]
	c.state.Unlock()
	c.answeredInTime = answered
	for waited := 0; waited < 10_000 && !c.isDone(); waited += 10 {
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *connection) isDone() bool {
	c.state.Lock()
	defer c.state.Unlock()
	return c.done == len(c.sent)
}

func merge(connections []*connection, seconds float64) result {
	total := &blast{status: map[string]int{}}
	for _, c := range connections {
		c.state.Lock()
		total.done += c.done
		total.bytes += c.bytes
		total.answeredInTime += c.answeredInTime
		total.latencies = append(total.latencies, c.latencies...)
		total.accepted = append(total.accepted, c.accepted...)
		for status, count := range c.status {
			total.status[status] += count
		}
		total.status["unsent"] += c.unsent
		total.status["unanswered"] += len(c.sent) - c.done
		c.state.Unlock()
	}
	total.seconds = seconds
	return total.result()
}

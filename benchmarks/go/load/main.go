// Load opens WebSockets, counts the events that arrive and how long each took from its "sent" (milliseconds since 1970) to here.
// One line of JSON tells the result.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

type result struct {
	Connections int     `json:"connections"`
	Frames      int64   `json:"frames"`
	Events      int64   `json:"events"`
	Rate        float64 `json:"rate"`
	P50         float64 `json:"p50"`
	P99         float64 `json:"p99"`
	Last99      float64 `json:"last99"`
	Failed      int64   `json:"failed"`
	First       string  `json:"first,omitempty"`
}

var marker = []byte(`"sent":`)

type counts struct {
	frames, events, failed atomic.Int64
	mutex                  sync.Mutex
	delays                 []float64
	last                   map[float64]float64
	first                  string
}

func (c *counts) failure(err error) {
	c.failed.Add(1)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.first == "" {
		c.first = err.Error()
	}
}

// delay of the first event in a frame, in milliseconds, and when it was sent; negative when it carries no time.
func delay(frame []byte) (float64, float64) {
	begin := bytes.Index(frame, marker)
	if begin < 0 {
		return -1, 0
	}
	text := frame[begin+len(marker):]
	end := bytes.IndexAny(text, ",}")
	sent, err := strconv.ParseFloat(strings.TrimSpace(string(text[:end])), 64)
	if err != nil {
		return -1, 0
	}
	return float64(time.Now().UnixMicro())/1000 - sent, sent
}

func follow(whole context.Context, c *counts, url, hello string, counting *atomic.Bool, ready *sync.WaitGroup, every bool) {
	socket, _, err := websocket.Dial(whole, url, &websocket.DialOptions{CompressionMode: websocket.CompressionDisabled})
	if err == nil && hello != "" {
		err = socket.Write(whole, websocket.MessageText, []byte(hello))
	}
	ready.Done()
	if err != nil {
		c.failure(err)
		return
	}
	defer socket.CloseNow()
	socket.SetReadLimit(1 << 26)
	for number := 0; ; number++ {
		_, frame, err := socket.Read(whole)
		if err != nil {
			if whole.Err() == nil {
				c.failure(err)
			}
			return
		}
		if len(frame) < 4 { // the peer's ping
			if err = socket.Write(whole, websocket.MessageText, []byte("{}")); err != nil {
				return
			}
			continue
		}
		if !counting.Load() {
			continue
		}
		c.frames.Add(1)
		c.events.Add(int64(bytes.Count(frame, marker)))
		if number%16 == 0 || every {
			if took, sent := delay(frame); took >= 0 {
				c.mutex.Lock()
				c.delays = append(c.delays, took)
				c.last[sent] = max(c.last[sent], took)
				c.mutex.Unlock()
			}
		}
	}
}

func at(delays []float64, share float64) float64 {
	if len(delays) == 0 {
		return -1
	}
	sort.Float64s(delays)
	return delays[int(share*float64(len(delays)-1))]
}

func main() {
	url := flag.String("url", "", "where the WebSocket is")
	connections := flag.Int("n", 500, "connections")
	seconds := flag.Float64("seconds", 5, "time that is counted")
	warm := flag.Float64("warm", 1, "seconds before it")
	hello := flag.String("first", "", "what each connection sends first")
	every := flag.Bool("every", false, "time every frame, so that last99 holds: 99 % of the events had reached their last reader by then")
	flag.Parse()
	whole, stop := context.WithCancel(context.Background())
	c := counts{last: map[float64]float64{}}
	var counting atomic.Bool
	var ready sync.WaitGroup
	for range *connections {
		ready.Add(1)
		go follow(whole, &c, *url, *hello, &counting, &ready, *every)
	}
	ready.Wait()
	time.Sleep(time.Duration(*warm * float64(time.Second)))
	counting.Store(true)
	began := time.Now()
	time.Sleep(time.Duration(*seconds * float64(time.Second)))
	counting.Store(false)
	took := time.Since(began).Seconds()
	stop()
	c.mutex.Lock()
	slowest := []float64{}
	for _, took := range c.last {
		slowest = append(slowest, took)
	}
	found := result{
		*connections, c.frames.Load(), c.events.Load(), float64(c.events.Load()) / took,
		at(c.delays, 0.5), at(c.delays, 0.99), at(slowest, 0.99), c.failed.Load(), c.first,
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

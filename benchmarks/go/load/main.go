// Load opens WebSockets, counts the events that arrive, and measures the delay of each from its "sent" (milliseconds since 1970).
// It parses frames itself: a client that needs more processor time than the servers would measure only itself.
// The result is one line of JSON; delays are in milliseconds.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	text    = 0x1
	closing = 0x8
	ping    = 0x9
	pong    = 0xa
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

// delay returns the delay of the first event in a frame, in milliseconds, and when it was sent; the delay is negative if the event has no time.
func delay(frame []byte) (float64, float64) {
	begin := bytes.Index(frame, marker)
	if begin < 0 {
		return -1, 0
	}
	number := frame[begin+len(marker):]
	end := bytes.IndexAny(number, ",}")
	sent, err := strconv.ParseFloat(strings.TrimSpace(string(number[:end])), 64)
	if err != nil {
		return -1, 0
	}
	return float64(time.Now().UnixMicro())/1000 - sent, sent
}

// dial opens a WebSocket without extensions.
func dial(address string) (net.Conn, *bufio.Reader, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	socket, err := net.Dial("tcp", parsed.Host)
	if err != nil {
		return nil, nil, err
	}
	request := "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	if _, err = fmt.Fprintf(socket, request, parsed.RequestURI(), parsed.Host); err != nil {
		return nil, nil, err
	}
	reader := bufio.NewReaderSize(socket, 4096)
	answer, err := http.ReadResponse(reader, nil)
	if err == nil && answer.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(answer.Status)
	}
	return socket, reader, err
}

// send writes one masked frame; the mask is zero, which leaves the payload as it is.
func send(socket net.Conn, opcode byte, payload []byte) error {
	if len(payload) > 125 {
		return errors.New("too long for this client")
	}
	_, err := socket.Write(append([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...))
	return err
}

// take returns the next count bytes, valid until the next read.
func take(reader *bufio.Reader, count int) ([]byte, error) {
	found, err := reader.Peek(count)
	if err == nil {
		_, err = reader.Discard(count)
	}
	return found, err
}

// next reads one whole frame into the buffer, and enlarges the buffer if necessary.
func next(reader *bufio.Reader, buffer []byte) (byte, []byte, error) {
	header, err := take(reader, 2)
	if err != nil {
		return 0, buffer, err
	}
	if header[0]&0x80 == 0 || header[1]&0x80 != 0 {
		return 0, buffer, errors.New("a fragment or a masked frame")
	}
	opcode, size := header[0]&0x0f, uint64(header[1])
	if size == 126 {
		if header, err = take(reader, 2); err != nil {
			return 0, buffer, err
		}
		size = uint64(binary.BigEndian.Uint16(header))
	} else if size == 127 {
		if header, err = take(reader, 8); err != nil {
			return 0, buffer, err
		}
		size = binary.BigEndian.Uint64(header)
	}
	if uint64(cap(buffer)) < size {
		buffer = make([]byte, size)
	}
	buffer = buffer[:size]
	_, err = io.ReadFull(reader, buffer)
	return opcode, buffer, err
}

func follow(c *counts, address, hello string, counting, over *atomic.Bool, ready *sync.WaitGroup, every bool) {
	socket, reader, err := dial(address)
	if err == nil && hello != "" {
		err = send(socket, text, []byte(hello))
	}
	ready.Done()
	if err != nil {
		c.failure(err)
		return
	}
	defer socket.Close()
	var opcode byte
	var frame []byte
	for number := 0; ; number++ {
		if opcode, frame, err = next(reader, frame); err == nil {
			switch {
			case opcode == closing:
				err = fmt.Errorf("closed: %q", frame)
			case opcode == ping:
				err = send(socket, pong, frame)
			case len(frame) < 4: // the peer's own ping
				err = send(socket, text, []byte("{}"))
			}
		}
		if err != nil {
			if !over.Load() {
				c.failure(err)
			}
			return
		}
		if opcode != text || len(frame) < 4 || !counting.Load() {
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
	address := flag.String("url", "", "URL of the WebSocket")
	connections := flag.Int("n", 500, "number of connections")
	seconds := flag.Float64("seconds", 5, "seconds that are measured")
	warm := flag.Float64("warm", 1, "seconds of warm-up before")
	hello := flag.String("first", "", "message that each connection sends first")
	every := flag.Bool("every", false, "measure the delay of every frame; needed for last99, the time within which 99 % of the events had reached their last reader")
	flag.Parse()
	c := counts{last: map[float64]float64{}}
	var counting, over atomic.Bool
	var ready sync.WaitGroup
	for range *connections {
		ready.Add(1)
		go follow(&c, *address, *hello, &counting, &over, &ready, *every)
	}
	ready.Wait()
	time.Sleep(time.Duration(*warm * float64(time.Second)))
	counting.Store(true)
	began := time.Now()
	time.Sleep(time.Duration(*seconds * float64(time.Second)))
	counting.Store(false)
	took := time.Since(began).Seconds()
	over.Store(true)
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

// Peer is the server with which live delivery is compared: it uses the centrifuge library and publishes events to all clients at a steady rate.
//
//	peer PORT EVENTS_PER_SECOND
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/centrifugal/centrifuge"
)

const event = `{"id":"0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10","type":"proposal","scope":"project.mod1","trace_id":"t1","agent_id":"agent-1",` +
	`"parent_ids":[],"timestamp":"2026-01-01T00:00:00.000Z","payload":{"action":"do1","sent":%.3f},"position":%d}`

func main() {
	rate, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		log.Fatal(err)
	}
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelError})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		everyone := map[string]centrifuge.SubscribeOptions{"events": {}}
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "reader"}, Subscriptions: everyone}, nil
	})
	node.OnConnect(func(*centrifuge.Client) {})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	go publish(node, rate)
	any := func(*http.Request) bool { return true }
	http.Handle("/ws", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{CheckOrigin: any}))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}

func publish(node *centrifuge.Node, rate float64) {
	began := time.Now()
	for number := 0; ; time.Sleep(2 * time.Millisecond) {
		for due := int(time.Since(began).Seconds() * rate); number < due; {
			number++
			text := fmt.Sprintf(event, float64(time.Now().UnixMicro())/1000, number)
			if _, err := node.Publish("events", []byte(text)); err != nil {
				log.Println(err)
			}
		}
	}
}

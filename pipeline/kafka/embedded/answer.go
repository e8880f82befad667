package embedded

import (
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answer is our word on a request before the broker's: a response and true, or false to let the broker answer the request, which may have been changed.
type answer = func(kmsg.Request) (kmsg.Response, error, bool)

// control puts a before the broker for every request of this key. kfake remembers the last request of each connection for as long as a control lives;
// so each control serves once and sets up its successor, and nothing is remembered.
func control(c *kfake.Cluster, key kmsg.Key, a answer) {
	c.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.DropControl()
		control(c, key, a)
		return a(req)
	})
}

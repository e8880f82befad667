package registry_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// seat says who leads; several registries ask the same one.
type seat struct {
	mu   sync.Mutex
	log  *logtest.Memory
	who  int
	term int64
}

func (s *seat) take(who int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.who, s.term = who, s.log.Elect()
}

func (s *seat) of(who int) func() registry.Leadership {
	return func() registry.Leadership {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.who < 0 {
			return registry.Leadership{}
		}
		return registry.Leadership{Self: s.who == who, Term: s.term, Address: fmt.Sprintf("http://instance-%d", s.who)}
	}
}

func TestFollower(t *testing.T) {
	log := logtest.NewMemory()
	chair := &seat{log: log, who: -1}
	first := start(t, log, registry.Options{Leader: chair.of(1)})
	second := start(t, log, registry.Options{Leader: chair.of(2)})
	first.fails("POST /subjects/s/versions", quoted(`"int"`), 50004, "")
	chair.take(1)
	second.fails("POST /subjects/s/versions", quoted(`"int"`), 50003, "This instance is not the leader of the schema registry; send writes to http://instance-1")
	second.fails("PUT /config", `{"compatibility":"NONE"}`, 50003, "")
	first.register("s", `"int"`)
	chair.take(2)
	if id := second.register("s", `"long"`); id != 2 {
		t.Errorf("id %d after a change of leader, want 2", id)
	}
	first.fails("DELETE /subjects/s", "", 50003, "")
	if err := first.reg.Healthy(); err != nil {
		t.Error(err)
	}
}

// TestForward: a follower passes writes on, once, with credentials and query, and answers reads itself.
func TestForward(t *testing.T) {
	log := logtest.NewMemory()
	leader := start(t, log, registry.Options{})
	address := strings.TrimPrefix(leader.url, "http://")
	options := registry.Options{
		Forward: http.DefaultTransport,
		Leader:  func() registry.Leadership { return registry.Leadership{Address: address} },
	}
	follower := start(t, log, options)
	follower.want("POST /subjects/a%2Fb/versions", quoted(`"int"`), 200, `{"id":1}`)
	leader.want("GET /subjects", "", 200, `["a/b"]`)
	follower.fails("DELETE /subjects/a%2Fb?permanent=true", "", 40405, "")
	follower.want("GET /schemas/ids/9", "", 404, "")
	address = strings.TrimPrefix(follower.url, "http://")
	follower.fails("PUT /config", `{"compatibility":"NONE"}`, 50003, "")
	address = "127.0.0.1:1"
	follower.fails("PUT /config", `{"compatibility":"NONE"}`, 50003, "Error while forwarding the request to the leader at 127.0.0.1:1")
}

// TestPausedLeader: one that still thinks that it leads writes nothing, and answers nothing that is not so.
func TestPausedLeader(t *testing.T) {
	log := logtest.NewMemory()
	old := start(t, log, registry.Options{Leader: func() registry.Leadership { return registry.Leadership{Self: true} }})
	old.register("s", `"int"`)
	term := log.Elect()
	next := start(t, log, registry.Options{Leader: func() registry.Leadership { return registry.Leadership{Self: true, Term: term} }})
	next.register("s", `"long"`)
	old.fails("POST /subjects/s/versions", quoted(`"double"`), 50004, "")
	next.want("GET /subjects/s/versions", "", 200, `[1,2]`)
}

// TestUncertainWrite: an append whose fate is unknown, and which takes effect late, does not lead to one id for two schemas.
func TestUncertainWrite(t *testing.T) {
	log := &lateLog{Memory: logtest.NewMemory()}
	s := serve(t, log, registry.Options{})
	s.register("s", `"int"`)
	log.delayNext.Store(true)
	s.fails("POST /subjects/s/versions", quoted(`"long"`), 50001, "")
	if id := s.register("s", `"double"`); id != 3 {
		t.Errorf("id %d, want 3", id)
	}
	s.want("GET /subjects/s/versions", "", 200, `[1,2,3]`)
	s.want("GET /schemas/ids/2", "", 200, quoted(`"long"`))
}

// TestSlowWrite: one that is not read back in time says that its fate is unknown.
func TestSlowWrite(t *testing.T) {
	log := &lateLog{Memory: logtest.NewMemory()}
	log.fail.Store(&errSlow)
	serve(t, log, registry.Options{}).fails("POST /subjects/s/versions", quoted(`"int"`), 50002, "")
}

// TestManyClients registers at random through instances that take the lead from one another, and compares every answer
// with what is there in the end, and after a restart.
func TestManyClients(t *testing.T) {
	log := logtest.NewMemory()
	chair := &seat{log: log, who: 0}
	chair.take(0)
	var instances []*server
	for i := range 2 {
		instances = append(instances, start(t, log, registry.Options{Leader: chair.of(i)}))
	}
	instances[0].want("PUT /config", `{"compatibility":"NONE"}`, 200, "")
	text := func(n int) string { return fmt.Sprintf(`{"type":"enum","name":"E","symbols":["A%d"]}`, n) }
	var mu sync.Mutex
	promised := map[int]int{}
	var refused atomic.Int64
	var clients sync.WaitGroup
	for client := range 16 {
		clients.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			for step := range 40 {
				if client == 0 && step%4 == 0 {
					chair.take(random.IntN(2))
				}
				n := random.IntN(100)
				got := instances[random.IntN(2)].do(fmt.Sprintf("POST /subjects/s%d/versions", client), quoted(text(n)))
				var id struct{ ID int }
				if got.status != 200 || json.Unmarshal([]byte(got.body), &id) != nil {
					refused.Add(1)
					continue
				}
				mu.Lock()
				if was, known := promised[n]; known && was != id.ID {
					t.Errorf("schema %d has id %d, and had %d", n, id.ID, was)
				}
				promised[n] = id.ID
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	if len(promised) < 50 {
		t.Errorf("only %d schemas promised, %d requests refused", len(promised), refused.Load())
	}
	log.Compact()
	chair.take(0)
	after := start(t, log, registry.Options{Leader: chair.of(0)})
	for n, id := range promised {
		if got := after.register("after", text(n)); got != id {
			t.Errorf("schema %d has id %d after a restart, was promised %d", n, got, id)
		}
		after.want(fmt.Sprintf("GET /schemas/ids/%d", id), "", 200, quoted(text(n)))
	}
}

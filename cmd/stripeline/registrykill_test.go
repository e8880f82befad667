package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"stripeline/pipeline/brokertest"
)

// registrar is many clients that register schemas at random through instances that are killed and paused meanwhile.
type registrar struct {
	t         *testing.T
	client    *http.Client
	instances [2]string // URLs

	mu       sync.Mutex
	promised map[int]int // schema -> id that was answered
	refused  int
	grown    chan struct{} // closed and replaced when promised grows
}

const registrarSchemas = 2000

func (r *registrar) text(n int) string {
	return fmt.Sprintf(`{"type":"record","name":"R","fields":[{"name":"f%d","type":"long"}]}`, n)
}

// ask sends a request and gives its status and body; a request that got no answer has status 0.
func (r *registrar) ask(method, url, body string) (int, string) {
	request, err := http.NewRequestWithContext(r.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

func (r *registrar) register(url string, n int) (id int, ok bool) {
	body, _ := json.Marshal(map[string]string{"schema": r.text(n)})
	status, text := r.ask("POST", fmt.Sprintf("%s/subjects/s%d/versions", url, n%40), string(body))
	var answer struct{ ID int }
	if status != http.StatusOK || json.Unmarshal([]byte(text), &answer) != nil || answer.ID == 0 {
		return 0, false
	}
	return answer.ID, true
}

// work registers the schemas of a list, each until it is answered.
func (r *registrar) work(tasks <-chan int) {
	for n := range tasks {
		for r.t.Context().Err() == nil {
			id, ok := r.register(r.instances[rand.IntN(2)], n)
			r.note(n, id, ok)
			if ok {
				break
			}
			<-time.After(20 * time.Millisecond)
		}
	}
}

func (r *registrar) note(n, id int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !ok {
		r.refused++
		return
	}
	if was, known := r.promised[n]; known && was != id {
		r.t.Errorf("schema %d was answered id %d and then %d", n, was, id)
	}
	r.promised[n] = id
	close(r.grown)
	r.grown = make(chan struct{})
}

// await waits until so many schemas have been answered.
func (r *registrar) await(count int) {
	patience := time.After(2 * time.Minute)
	for {
		r.mu.Lock()
		have, grown := len(r.promised), r.grown
		r.mu.Unlock()
		if have >= count {
			return
		}
		select {
		case <-grown:
		case <-patience:
			r.t.Fatalf("stuck at %d of %d schemas", have, registrarSchemas)
		}
	}
}

// leader waits until one of the instances that are asked leads, and says which.
func (r *registrar) leader(among ...int) int {
	patience := time.After(time.Minute)
	for {
		for _, i := range among {
			if _, text := r.ask("GET", r.instances[i]+"/metrics", ""); strings.Contains(text, "\nstripeline_registry_leader 1") {
				return i
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-patience:
			r.t.Fatalf("nobody leads of %v", among)
		}
	}
}

// freeAddress gives an address that is free now, so that an instance keeps it over its restarts.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestKilledAndPausedRegistriesKeepTheirWord: 64 clients register 2,000 schemas, half of them twice, while leaders are killed and paused.
func TestKilledAndPausedRegistriesKeepTheirWord(t *testing.T) {
	session := "1s"
	if brokertest.Real() {
		session = "6s"
	}
	flags := []string{"registry", "--brokers", strings.Join(brokertest.Brokers(t), ","), "--namespace", brokertest.Name(t), "--topic", brokertest.Name(t),
		"--compatibility", "NONE", "--session", session}
	binary := buildBinary(t)
	r := &registrar{
		t: t, promised: map[int]int{}, grown: make(chan struct{}),
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	var addresses [2]string
	var processes [2]*process
	start := func(i int) {
		processes[i] = startProcess(t, binary, append(flags, "--listen", addresses[i])...)
	}
	for i := range addresses {
		addresses[i] = freeAddress(t)
		r.instances[i] = "http://" + addresses[i]
		start(i)
	}
	tasks := make(chan int)
	var clients sync.WaitGroup
	for range 64 {
		clients.Go(func() { r.work(tasks) })
	}
	go func() {
		defer close(tasks)
		for i, n := range append(rand.Perm(registrarSchemas), rand.Perm(registrarSchemas/2)...) {
			tasks <- n
			if i%2 == 0 {
				tasks <- rand.IntN(n + 1)
			}
		}
	}()
	const disasters = 9
	for i := range disasters {
		r.await(registrarSchemas * (i + 1) / (disasters + 2))
		at := r.leader(0, 1)
		if i%3 < 2 {
			processes[at].kill()
			start(at)
			continue
		}
		_ = processes[at].cmd.Process.Signal(syscall.SIGSTOP)
		r.leader(1 - at)
		r.await(registrarSchemas * (i + 1) / (disasters + 1))
		_ = processes[at].cmd.Process.Signal(syscall.SIGCONT)
	}
	clients.Wait()
	t.Logf("%d answers refused or lost on the way", r.refused)
	r.check()
	for i, p := range processes {
		p.kill() // its words are whole only then
		if text := p.errs.String(); strings.Contains(text, "two schemas") || strings.Contains(text, "panic") {
			t.Errorf("instance %d: %s", i, text)
		}
	}
}

// check compares what was promised with what both instances hold.
func (r *registrar) check() {
	if len(r.promised) != registrarSchemas {
		r.t.Errorf("%d schemas answered, want %d", len(r.promised), registrarSchemas)
	}
	owner := map[int]int{}
	for n, id := range r.promised {
		if other, taken := owner[id]; taken {
			r.t.Errorf("id %d was answered for schemas %d and %d", id, n, other)
		}
		owner[id] = n
	}
	texts := map[string]int{}
	for i, url := range r.instances {
		status, all := r.ask("GET", url+"/schemas", "")
		var listed []struct {
			ID     int
			Schema string
		}
		if err := json.NewDecoder(bytes.NewReader([]byte(all))).Decode(&listed); status != http.StatusOK || err != nil {
			r.t.Fatalf("list schemas of instance %d: %d %v", i, status, err)
		}
		held := map[string]int{}
		for _, v := range listed {
			if was, known := held[v.Schema]; known && was != v.ID {
				r.t.Errorf("instance %d: one schema has ids %d and %d", i, was, v.ID)
			}
			held[v.Schema] = v.ID
		}
		for n, id := range r.promised {
			if held[r.text(n)] != id {
				r.t.Errorf("instance %d: schema %d has id %d, was promised %d", i, n, held[r.text(n)], id)
			}
		}
		if i > 0 && !maps.Equal(texts, held) {
			r.t.Error("the instances hold different schemas")
		}
		texts = held
	}
}

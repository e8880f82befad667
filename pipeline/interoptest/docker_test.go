package interoptest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// compose is what a compose file says, as far as it is checked.
type compose struct {
	Services map[string]struct {
		Image       string
		Build       struct{ Context, Dockerfile string }
		Ports       []string
		Command     []string
		Environment map[string]string
		Volumes     []string
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	}
	Volumes map[string]any
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := yaml.Unmarshal([]byte(readFile(t, "docker/compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestComposeNamesItsParts(t *testing.T) {
	c := readCompose(t)
	for service, image := range map[string]string{
		"kafka": "apache/kafka:4.", "registry": "/cp-schema-registry:", "worker-1": "stripeline:", "worker-2": "stripeline:",
	} {
		if got := c.Services[service].Image; !strings.Contains(got, image) {
			t.Errorf("service %s has image %q, want %s...", service, got, image)
		}
	}
	for service, port := range map[string]string{
		"kafka": "127.0.0.1:19092:19092", "registry": "127.0.0.1:8081:8081", "worker-1": "127.0.0.1:17071:7070", "worker-2": "127.0.0.1:17072:7070",
	} {
		if !slices.Contains(c.Services[service].Ports, port) {
			t.Errorf("service %s publishes %v, want %s", service, c.Services[service].Ports, port)
		}
	}
}

func TestComposeHoldsTogether(t *testing.T) {
	c := readCompose(t)
	for name, s := range c.Services {
		for on, how := range s.DependsOn {
			if _, ok := c.Services[on]; !ok || how.Condition == "" {
				t.Errorf("%s depends on %s (%q), which is no service", name, on, how.Condition)
			}
		}
		for _, v := range s.Volumes {
			if source, _, _ := strings.Cut(v, ":"); !strings.ContainsAny(source, "/.") {
				if _, ok := c.Volumes[source]; !ok {
					t.Errorf("%s mounts %s, which is not declared", name, source)
				}
			}
		}
	}
	kafka := c.Services["kafka"].Environment
	for _, worker := range []string{"worker-1", "worker-2"} {
		s := c.Services[worker]
		brokers := s.Environment["STRIPELINE_BROKERS"]
		if brokers == "" || !strings.Contains(kafka["KAFKA_ADVERTISED_LISTENERS"], "://"+brokers) {
			t.Errorf("%s looks for brokers at %q, kafka advertises %q", worker, brokers, kafka["KAFKA_ADVERTISED_LISTENERS"])
		}
		if s.Environment["STRIPELINE_REGISTRY"] != "http://registry:8081" || s.Build.Dockerfile != "docker/Dockerfile" {
			t.Errorf("%s: registry %q, build %+v", worker, s.Environment["STRIPELINE_REGISTRY"], s.Build)
		}
		judgeTargets(t, worker, s.Command)
	}
}

// judgeTargets wants nine targets in nine domains, as the default policy RS-6-3-64k does.
func judgeTargets(t *testing.T, worker string, command []string) {
	t.Helper()
	domains := make(map[string]struct{})
	for _, arg := range command {
		if spec, ok := strings.CutPrefix(arg, "--target="); ok {
			_, domain, _ := strings.Cut(spec, "domain=")
			domains[domain] = struct{}{}
		}
	}
	if !slices.Contains(command, "--http=0.0.0.0:7070") {
		t.Errorf("%s runs %v: its readiness port cannot be reached from outside", worker, command)
	}
	if len(command) == 0 || command[0] != "worker" || len(domains) != 9 {
		t.Errorf("%s runs %v: want worker with targets in 9 domains, not %d", worker, command, len(domains))
	}
}

func TestImageIsStaticAndUnprivileged(t *testing.T) {
	file := readFile(t, "docker/Dockerfile")
	from := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(file, -1)
	if len(from) != 2 || !strings.HasPrefix(from[1][1], "gcr.io/distroless/static") {
		t.Errorf("stages %v: want a build and a distroless one", from)
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readFile(t, "go.mod"))[1]
	if !strings.HasPrefix(from[0][1], "golang:"+goVersion) {
		t.Errorf("built with %s, go.mod says %s", from[0][1], goVersion)
	}
	_, last, _ := strings.Cut(file, from[1][0])
	if user := regexp.MustCompile(`(?m)^USER (\d+)`).FindStringSubmatch(last); user == nil || user[1] == "0" {
		t.Errorf("the last stage runs as %v, want a number other than 0", user)
	}
	for _, words := range []string{"CGO_ENABLED=0", `ENTRYPOINT ["/usr/local/bin/stripeline"]`, "./cmd/stripeline"} {
		if !strings.Contains(file, words) {
			t.Errorf("no %s in the Dockerfile", words)
		}
	}
}

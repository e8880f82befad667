package pipeline

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
)

// A group that the brokers forbid is told of at once: waiting would never end.
func TestAForbiddenGroupIsAnError(t *testing.T) {
	broker := brokertest.Fake(t)
	cluster := brokertest.Connect(t, kafka.Config{Brokers: broker.ListenAddrs(), Namespace: brokertest.Name(t)})
	w := &rowWorld{t: t, cluster: cluster, registry: &shelf{}, topic: brokertest.Topic(t, cluster, 1)}
	w.registry.add(ValueSubject(w.topic), rowSchema)
	w.rows(1)
	broker.ControlKey(int16(kmsg.FindCoordinator), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		found := req.(*kmsg.FindCoordinatorRequest)
		if found.CoordinatorType != 0 {
			return nil, nil, false
		}
		resp := found.ResponseKind().(*kmsg.FindCoordinatorResponse)
		for _, key := range found.CoordinatorKeys {
			c := kmsg.NewFindCoordinatorResponseCoordinator()
			c.Key, c.NodeID, c.ErrorCode = key, -1, kerr.GroupAuthorizationFailed.Code
			resp.Coordinators = append(resp.Coordinators, c)
		}
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil, true
	})
	files := w.toFiles(t.TempDir())
	files.ToEnd = false
	_, filesErr := files.Run(t.Context())
	printed := Consume{Cluster: cluster, Registry: w.registry, Topic: w.topic, Group: "printed", Out: &strings.Builder{}}
	_, printErr := printed.Run(t.Context())
	for _, err := range []error{filesErr, printErr} {
		if !errors.Is(err, kafka.ErrAuth) || !strings.Contains(err.Error(), "READ") {
			t.Errorf("%v, want that the group is forbidden and what to do", err)
		}
	}
}

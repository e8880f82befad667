package embedded

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// spoken is what the broker offers: all that the latest Kafka has, but not DescribeTopicPartitions. Its answer holds null lists of replicas that Java's
// admin client 4 cannot read (kafka-topics --describe); without it every client asks for metadata instead.
func spoken() *kversion.Versions {
	v := kversion.Stable()
	v.SetMaxKeyVersion(kmsg.DescribeTopicPartitions.Int16(), -1)
	return v
}

// zeroFeatures is the first version of ApiVersions whose readers allow a feature with minimum 0. Java's kafka-clients up to 3.8 ask with version 3, find
// such a feature and fail ("Expected minValue >= 1"); a real broker leaves them out for them.
const zeroFeatures = 4

// askVersions asks the broker itself what it can do, in a version that tells all.
func askVersions(ctx context.Context, own *kgo.Client) (*kmsg.ApiVersionsResponse, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "stripeline", "1"
	resp, err := own.Request(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("ask broker for its versions: %w", err)
	}
	return resp.(*kmsg.ApiVersionsResponse), nil
}

// answerVersions answers version 3 with what the broker said of itself, less the features whose minimum is 0. Other versions pass.
func answerVersions(all *kmsg.ApiVersionsResponse) answer {
	return func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.ApiVersionsRequest)
		if req.Version != zeroFeatures-1 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
		resp.ApiKeys = slices.Clone(all.ApiKeys)
		zero := make(map[string]struct{})
		for _, f := range all.SupportedFeatures {
			if f.MinVersion == 0 {
				zero[f.Name] = struct{}{}
				continue
			}
			resp.SupportedFeatures = append(resp.SupportedFeatures, f)
		}
		for _, f := range all.FinalizedFeatures {
			if _, ok := zero[f.Name]; !ok {
				resp.FinalizedFeatures = append(resp.FinalizedFeatures, f)
			}
		}
		resp.FinalizedFeaturesEpoch = all.FinalizedFeaturesEpoch
		return resp, nil, true
	}
}

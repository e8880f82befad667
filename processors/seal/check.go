package seal

import (
	"fmt"

	"stripeline/schemas"
)

// check gives the ack's policy, or the Reject that says what of its identity is wrong.
func check(s *schemas.Block, ack *schemas.Ack) (schemas.Policy, error) {
	policy, err := schemas.ParsePolicy(ack.Policy)
	if err != nil {
		return policy, reject(ack, "policy", "%v", err)
	}
	if s.State != "" && ack.Block != s.ID {
		return policy, reject(ack, "block", "it was given to the record of block %s: key and block must agree", s.ID)
	}
	live := s.State != "" && s.State != schemas.BlockDeleted && ack.Kind != schemas.AckDelete
	if live && ack.Generation == s.Generation && ack.Policy != s.Policy {
		return policy, reject(ack, "policy", "policy %s, but the block's is %s: a block has one", ack.Policy, s.Policy)
	}
	for _, index := range ack.Missing {
		if err := checkIndex(ack, index, policy); err != nil {
			return policy, err
		}
	}
	switch ack.Kind {
	case schemas.AckReceipt:
		return policy, checkReceipt(ack, policy)
	case schemas.AckClose:
		return policy, checkClose(ack)
	case schemas.AckLoss:
		return policy, checkRanges(ack, policy, schemas.Range{First: 0, Last: schemas.MaxStripes - 1})
	case schemas.AckRemoved, schemas.AckDelete:
		return policy, checkIndexes(ack, policy)
	}
	return policy, reject(ack, "kind", "%q is not a kind of ack", string(ack.Kind))
}

func checkReceipt(ack *schemas.Ack, policy schemas.Policy) error {
	count := len(ack.Lengths)
	if len(ack.CRCs) != 4*count {
		return reject(ack, "crcs", "%d bytes of CRCs for %d stripes: want 4 for each", len(ack.CRCs), count)
	}
	if count == 0 && len(ack.Receipts) == 0 {
		return nil
	}
	if ack.First < 0 || count > schemas.MaxStripes || int(ack.First)+count > schemas.MaxStripes {
		return reject(ack, "stripes", "%d stripes from %d on: a block has stripes 0 to %d", count, ack.First, schemas.MaxStripes-1)
	}
	if ack.Offset < 0 {
		return reject(ack, "offset", "file offset %d of stripe %d", ack.Offset, ack.First)
	}
	for i, length := range ack.Lengths {
		if length < 1 || int(length) > policy.Stripe() {
			return reject(ack, "length", "stripe %d has %d bytes: a stripe of %s has 1 to %d", int(ack.First)+i, length, ack.Policy, policy.Stripe())
		}
	}
	return checkRanges(ack, policy, described(ack))
}

func checkClose(ack *schemas.Ack) error {
	if ack.Stripes < -1 || ack.Stripes > schemas.MaxStripes {
		return reject(ack, "stripes", "closed at %d stripes: want -1 to %d", ack.Stripes, schemas.MaxStripes)
	}
	if ack.Last && ack.FileLength < 0 {
		return reject(ack, "length", "the file ends here at length %d", ack.FileLength)
	}
	return nil
}

// checkRanges wants the stripes of every receipt within bounds.
func checkRanges(ack *schemas.Ack, policy schemas.Policy, bounds schemas.Range) error {
	for _, r := range ack.Receipts {
		if r.First < bounds.First || r.Last < r.First || r.Last > bounds.Last {
			return reject(ack, "range", "stripes %d to %d of index %d: want some of %d to %d", r.First, r.Last, r.Index, bounds.First, bounds.Last)
		}
	}
	return checkIndexes(ack, policy)
}

func checkIndexes(ack *schemas.Ack, policy schemas.Policy) error {
	for _, r := range ack.Receipts {
		if err := checkIndex(ack, r.Index, policy); err != nil {
			return err
		}
	}
	return nil
}

func checkIndex(ack *schemas.Ack, index int32, policy schemas.Policy) error {
	if index < 0 || int(index) >= policy.N() {
		return reject(ack, "index", "index %d: %s has 0 to %d", index, ack.Policy, policy.N()-1)
	}
	return nil
}

// described is the range of stripes of which the ack gives length and CRC.
func described(ack *schemas.Ack) schemas.Range {
	return schemas.Range{First: ack.First, Last: ack.First + int32(len(ack.Lengths)) - 1}
}

func reject(ack *schemas.Ack, code, format string, args ...any) error {
	return schemas.Reject(code, fmt.Sprintf("%s ack of block %s, generation %s: %s", ack.Kind, ack.Block, ack.Generation, fmt.Sprintf(format, args...)))
}

"""Says of reader and writer schemas, one pair a line, whether Apache Avro's own Python library calls them compatible."""

import json
import sys

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

for line in sys.stdin:
    pair = json.loads(line)
    verdict = ReaderWriterCompatibilityChecker().get_compatibility(
        reader=parse(json.dumps(pair["reader"])), writer=parse(json.dumps(pair["writer"])))
    print(json.dumps(verdict.compatibility == SchemaCompatibilityType.compatible))

package brokertest

import "os"

// envRegistry names a schema registry that is not ours.
const envRegistry = "STRIPELINE_TEST_REGISTRY"

// Registry gives the URL of the registry that tests of rows run against, "" where each is to serve one of its own. All tests share it: topics, and so
// subjects, have names that no other test has.
func Registry() string { return os.Getenv(envRegistry) }

// Package interoptest is in the pipeline room and holds tests alone: clients that nobody here wrote work against the embedded broker, and what docker/
// says can be parsed. scripts/setup-interop sets the clients up; a test whose client is not there is skipped, and fails where CI=true.
package interoptest

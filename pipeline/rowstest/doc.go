// Package rowstest is in the pipeline room and holds tests alone: whole tables go through the rows journey, and readers that nobody here wrote say
// what has arrived.
//
//	STRIPELINE_DATA   folder with flights.csv.gz (nycflights13: 336,776 rows, 19 columns, NA for null); the tests of that table are skipped without it
//
// The same tests always run over a generated table of the same form. The Python reader is there after scripts/setup-interop. With
// STRIPELINE_TEST_REGISTRY, which scripts/test-registry sets, all of them run against a schema registry that is not ours.
package rowstest

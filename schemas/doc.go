// Package schemas is the floor of the house: the nouns of Stripeline, their Avro schemas and byte formats, and the
// codec between the two. All rooms import it; it imports none of them.
package schemas

// Package pipeline is the roof of the house: the journeys of rows and blocks, one file each, and the topics that they
// cross. It alone imports producers, processors and consumers, and hands to each what it needs of the others.
package pipeline

// Package locale holds every sentence that a person sees, in Chinese and English.
//
// The sentences are in messages.yaml, one key a sentence, both languages beside each other, so that neither can be forgotten: a key
// without one of them does not load. Code names a key and gives arguments by name; a sentence says where they stand in braces:
// "{file}: no column {column}". Arguments never hold personal data where the sentence goes into a log.
package locale

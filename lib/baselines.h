/* baselines.h: losses that need no embedding, on the training part, in nats per character. */
#ifndef BASELINES_H
#define BASELINES_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double uniform; /* ln 100: knows nothing */
    double unigram; /* knows how frequent each character is */
    double bigram;  /* knows how frequent each pair is: no model of order 1 does better */
} Baselines;

Baselines baselines_of(const uint8_t *text, size_t length);

#endif

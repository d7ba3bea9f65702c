/* random.h: PyTorch's random numbers on the CPU, so that one seed gives both programs one start:
   the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), seeded as torch.manual_seed
   does, drawn from as uniform_, normal_ and torch.randperm do (PyTorch 1.13; tests/twin.py holds
   them to it). */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state[624];
    uint32_t position; /* how many numbers of the state are used up, 0..624 */
} Random;

Random random_seeded(uint32_t seed);

/* The next 32 bits of the stream. */
uint32_t random_bits(Random *random);

/* A float in [0, 1), a multiple of 2^-24. */
float random_uniform(Random *random);

/* values [count] from U(-bound, bound). */
void random_uniforms(Random *random, float *values, size_t count, float bound);

/* values [count >= 16] from a normal distribution of mean 0 (Box-Muller on groups of 16). */
void random_normal(Random *random, float *values, size_t count, float deviation);

/* Shuffles values [count]; of 0..count-1 it makes torch.randperm(count). */
void random_shuffle(Random *random, uint64_t *values, uint32_t count);

#endif

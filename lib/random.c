#include "random.h"

#include "exact.h"

Random random_seeded(uint32_t seed) {
    Random random = {.position = 624};
    random.state[0] = seed;
    for (uint32_t i = 1; i < 624; i++)
        random.state[i] = 1812433253u * (random.state[i - 1] ^ (random.state[i - 1] >> 30)) + i;
    return random;
}

/* All 624 words of the state move on at once. */
static void twist(uint32_t *state) {
    for (int i = 0; i < 624; i++) {
        uint32_t joined = (state[i] & 0x80000000u) | (state[(i + 1) % 624] & 0x7fffffffu);
        state[i] = state[(i + 397) % 624] ^ (joined >> 1) ^ (-(joined & 1) & 0x9908b0dfu);
    }
}

uint32_t random_bits(Random *random) {
    if (random->position == 624) {
        twist(random->state);
        random->position = 0;
    }
    uint32_t bits = random->state[random->position++];
    bits ^= bits >> 11;
    bits ^= (bits << 7) & 0x9d2c5680u;
    bits ^= (bits << 15) & 0xefc60000u;
    return bits ^ (bits >> 18);
}

float random_uniform(Random *random) { return (float)(random_bits(random) & 0xffffffu) * 0x1p-24f; }

void random_uniforms(Random *random, float *values, size_t count, float bound) {
    for (size_t i = 0; i < count; i++) values[i] = random_uniform(random) * (2 * bound) - bound;
}

/* Box-Muller: values 0..7 of a group give the radii, values 8..15 the angles, which PyTorch rounds
   to floats. */
static void normal_group(float *group, float deviation) {
    for (int t = 0; t < 8; t++) {
        double radius = sqrt(-2 * exact_log(1 - (double)group[t]));
        double turn = (double)(6.28318531f * group[t + 8]) / 6.283185307179586;
        group[t] = (float)(radius * exact_cos_turns(turn)) * deviation;
        group[t + 8] = (float)(radius * exact_sin_turns(turn)) * deviation;
    }
}

void random_normal(Random *random, float *values, size_t count, float deviation) {
    for (size_t i = 0; i < count; i++) values[i] = random_uniform(random);
    for (size_t i = 0; i + 16 <= count; i += 16) normal_group(values + i, deviation);
    if (count % 16) { /* the last 16 are drawn again, whole */
        float *last = values + count - 16;
        for (int i = 0; i < 16; i++) last[i] = random_uniform(random);
        normal_group(last, deviation);
    }
}

void random_shuffle(Random *random, uint64_t *values, uint32_t count) {
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t other = i + random_bits(random) % (count - i);
        uint64_t kept = values[i];
        values[i] = values[other];
        values[other] = kept;
    }
}

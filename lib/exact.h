/* exact.h: exp, log, sin, cos and norms with the same bits on every machine, where libm's differ in
   the last one: only +, -, *, / and sqrt, which IEEE 754 rounds exactly, in a fixed order. The
   build keeps compilers from fusing a multiply and an add (-ffp-contract=off). */
#ifndef EXACT_H
#define EXACT_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Natural logarithm of a normal positive double, to about 1 unit in the last place. x = 2^k m with
   m in [sqrt(1/2), sqrt 2); with s = (m-1)/(m+1), ln m = 2 (s + s^3/3 + s^5/5 + ...). */
static inline double exact_log(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        exponent++;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int n = 21; n >= 3; n -= 2) sum = (sum + 1.0 / n) * square;
    return exponent * 0.6931471805599453 + 2 * (s + s * sum);
}

/* e^x for |x| below 700, to about 1 unit in the last place: e^x = 2^n e^r, e^r by its Taylor
   series. */
static inline double exact_exp(double x) {
    int n = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    double r = x - n * 0.6931471805599453, sum = 1;
    for (int k = 16; k >= 1; k--) sum = 1 + sum * r / k;
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

/* e^x for x at most 0 (below -87 it is e^-87), relative error below 3e-7; NaN for NaN. e^x = 2^n
   e^r with n = round(x / ln 2): adding 1.5 * 2^23 rounds to a whole number and leaves it in the low
   bits, from where a shift moves it into the exponent; e^r by a Taylor series, |r| <= ln 2 / 2. */
static inline float exact_expf(float x) {
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f, n = shifted - 12582912.0f;
    float r = x - n * 0.693145752f - n * 1.42860677e-6f;
    float e = r * (1.0f / 720) + 1.0f / 120;
    e = e * r + 1.0f / 24;
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return e * power;
}

/* The Taylor series of sin(2 pi turn), or of cos, for turn in [0, 1/8]. */
static inline double exact_eighth(double turn, bool cosine) {
    double x = 6.283185307179586 * turn, square = x * x, sum = 0;
    for (int n = cosine ? 15 : 16; n >= 1; n -= 2) sum = (1 + sum) * -square / (n * (n + 1));
    return cosine ? 1 + sum : x + x * sum;
}

/* cos(2 pi turn) and sin(2 pi turn) for turn in [0, 1], by symmetry. */
static inline double exact_cos_turns(double turn) {
    if (turn >= 0.5) return -exact_cos_turns(turn - 0.5);
    if (turn > 0.25) return -exact_cos_turns(0.5 - turn);
    return turn > 0.125 ? exact_eighth(0.25 - turn, false) : exact_eighth(turn, true);
}

static inline double exact_sin_turns(double turn) {
    if (turn >= 0.5) return -exact_sin_turns(turn - 0.5);
    if (turn > 0.25) turn = 0.5 - turn;
    return turn > 0.125 ? exact_eighth(0.25 - turn, true) : exact_eighth(turn, false);
}

/* x^p for x in [0, 1] and p > 0; what is smaller than e^-700 is 0. */
static inline double exact_power(double x, double p) {
    double exponent = x > 0 ? p * exact_log(x) : -INFINITY;
    return exponent > -700 ? exact_exp(exponent) : 0;
}

/* The p-norm of values [count], p > 0; p = INFINITY: the largest absolute value. Values are divided
   by the largest one first, so that no power overflows. */
static inline double exact_norm(const float *values, size_t count, double p) {
    double largest = 0, sum = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)values[i]));
    if (isinf(p) || largest == 0 || isinf(largest)) return largest;
    for (size_t i = 0; i < count; i++) {
        double x = fabs((double)values[i]) / largest;
        sum += p == 2 ? x * x : exact_power(x, p);
    }
    if (p == 2) return largest * sqrt(sum);
    double exponent = exact_log(sum) / p;
    return exponent < 700 ? largest * exact_exp(exponent) : INFINITY;
}

#endif

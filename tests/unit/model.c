/* the model's parts against mathematics: exact functions, start, layers, gradients, updates. */
#include "../../model.h"

#include "../../lib/characters.h"
#include "../../lib/kernels.h"
#include "../../lib/memory.h"
#include "../../lib/text.h"
#include "../../lib/trainer.h"
#include "../check.h"

#include <stdlib.h>

/* ---- characters ----------------------------------------------------------------------------- */

static void test_characters(void) {
    const char *printable = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'"
                            "()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c";
    bool order = true, inverse = true;
    for (int id = 0; id < CHARACTERS; id++) {
        order &= character_of((uint8_t)id) == printable[id];
        inverse &= id_of((unsigned char)printable[id]) == id;
    }
    int others = 0;
    for (int byte = 0; byte < 256; byte++) others += id_of((unsigned char)byte) < 0;
    check(order, "ids 0..99 are string.printable in its order");
    check(inverse && others == 156, "100 bytes have an id, 156 have none");
}

/* ---- exact functions ------------------------------------------------------------------------ */

static double relative(double a, double b) { return fabs(a / b - 1); }

static void test_exact(void) {
    double expf_ = 0, log_ = 0, turns = 0, exp_ = 0;
    for (double x = -87; x <= 0; x += 0.0137)
        expf_ = fmax(expf_, relative((double)exact_expf((float)x), exp((double)(float)x)));
    for (double x = 1e-30; x < 1e30; x *= 1.037)
        log_ = fmax(log_, fabs(exact_log(x) - log(x)) / fmax(1, fabs(log(x))));
    for (double turn = 0; turn < 1; turn += 1.0 / 4093) {
        turns = fmax(turns, fabs(exact_cos_turns(turn) - cos(6.283185307179586 * turn)));
        turns = fmax(turns, fabs(exact_sin_turns(turn) - sin(6.283185307179586 * turn)));
    }
    for (double x = -600; x < 600; x += 0.731) exp_ = fmax(exp_, relative(exact_exp(x), exp(x)));
    check(expf_ < 3e-7, "exact_expf agrees with exp to %.1e", expf_);
    check(log_ < 5e-16, "exact_log agrees with log to %.1e", log_);
    check(turns < 2e-15, "exact_cos_turns and exact_sin_turns agree with cos and sin to %.1e",
          turns);
    check(exp_ < 5e-13, "exact_exp agrees with exp to %.1e", exp_);
    uint32_t nan_bits[] = {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xff9abcdeu};
    bool passes = true;
    for (size_t i = 0; i < 4; i++) {
        float nan;
        memcpy(&nan, &nan_bits[i], sizeof nan);
        passes &= isnan(exact_expf(nan));
    }
    passes &= exact_expf(-87.5f) == exact_expf(-87) && exact_expf(-1e30f) == exact_expf(-87);
    check(passes && exact_expf(-INFINITY) > 0,
          "exact_expf gives NaN for NaN, and e^-87 for all that is smaller");
}

static void test_norms(void) {
    const float three[] = {3, -4, 0.5f}, five[] = {5, -1, 0}, large[] = {3e38f, -3e38f};
    const float small[] = {3e-38f, 3e-38f}, none[] = {0, 0};
    float ones[64];
    for (int i = 0; i < 64; i++) ones[i] = 1;
    const struct {
        const float *values;
        size_t count;
        double p, norm;
    } norms[] = {{three, 3, 1, 7.5},
                 {three, 3, 2, sqrt(25.25)},
                 {three, 3, 3, cbrt(27 + 64 + 0.125)},
                 {three, 3, INFINITY, 4},
                 {five, 3, 1000, 5},
                 {five, 3, 1e30, 5},
                 {large, 2, 2, 3e38 * sqrt(2)},
                 {large, 2, 3, 3e38 * cbrt(2)},
                 {large, 2, 50, 3e38 * pow(2, 0.02)},
                 {small, 2, 50, 3e-38 * pow(2, 0.02)},
                 {ones, 64, 0.01, pow(64, 100)}};
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
        double norm = exact_norm(norms[i].values, norms[i].count, norms[i].p);
        check(relative(norm, norms[i].norm) < 1e-6, "exact_norm of %g, %g ..., p = %g: %g",
              (double)norms[i].values[0], (double)norms[i].values[1], norms[i].p, norm);
    }
    check(exact_norm(ones, 64, 1e-3) == INFINITY, "a norm that no double holds is infinite");
    check(exact_norm(none, 2, 3) == 0 && exact_norm(none, 2, 2) == 0, "exact_norm of zeros is 0");
}

/* ---- the start ------------------------------------------------------------------------------ */

static void test_random(void) {
    Random random = random_seeded(5489);
    uint32_t first = random_bits(&random), last = 0, seen = 0;
    for (int i = 1; i < 10000; i++) last = random_bits(&random);
    check(first == 3499211612u && last == 4123659995u,
          "MT19937 seeded with 5489 gives its published first and 10,000th number");
    uint64_t order[1000];
    bool present[1000] = {false};
    for (uint32_t i = 0; i < 1000; i++) order[i] = i;
    random_shuffle(&random, order, 1000);
    for (int i = 0; i < 1000; i++) present[order[i]] = true;
    for (int i = 0; i < 1000; i++) seen += present[i];
    check(seen == 1000, "random_shuffle loses nothing");
    float values[10007];
    double sum = 0, squares = 0;
    random_normal(&random, values, 10007, 2);
    for (int i = 0; i < 10007; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    check(fabs(sum / 10007) < 0.08 && fabs(sqrt(squares / 10007) - 2) < 0.06,
          "random_normal has mean 0 and its deviation (%.3f, %.3f)", sum / 10007,
          sqrt(squares / 10007));
}

/* ---- layers and gradients ------------------------------------------------------------------- */

static float any(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-24f - 0.5f;
}

/* out [rows, WIDTH] = start + a [rows, DEPTH] b [DEPTH, WIDTH] by the plain triple loop; a lies as
   [DEPTH, rows] when it is transposed. */
enum { DEPTH = 13, WIDTH = 7 * LANES }; /* so that strips of all widths come up */
static void plain_matmul(size_t rows, float *out, const float *a, bool transposed, const float *b) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < WIDTH; j++)
            for (size_t k = 0; k < DEPTH; k++)
                out[i * WIDTH + j] +=
                    a[transposed ? k * rows + i : i * DEPTH + k] * b[k * WIDTH + j];
}

static void test_matmul(void) {
    enum { MOST = 17 };
    float a[MOST * DEPTH], b[DEPTH * WIDTH], start[WIDTH];
    float out[MOST * WIDTH], plain[MOST * WIDTH];
    uint32_t state = 1;
    for (size_t i = 0; i < MOST * DEPTH; i++) a[i] = any(&state);
    for (size_t i = 0; i < DEPTH * WIDTH; i++) b[i] = any(&state);
    for (int i = 0; i < WIDTH; i++) start[i] = any(&state);
    bool same = true;
    for (size_t rows = 1; rows <= MOST; rows++)
        for (int transposed = 0; transposed < 2; transposed++) {
            Matrix result = {out, WIDTH, 1}, begin = {transposed ? NULL : start, 0, 1};
            Matrix left = {a, transposed ? 1 : DEPTH, transposed ? rows : 1}, right = {b, WIDTH, 1};
            for (size_t i = 0; i < rows * WIDTH; i++) plain[i] = transposed ? 0 : start[i % WIDTH];
            for (int added = 0; added < 2; added++) {
                matmul(rows, WIDTH, DEPTH, result, added ? result : begin, left, right);
                plain_matmul(rows, plain, a, transposed, b);
                same &= !memcmp(out, plain, rows * WIDTH * sizeof(float));
            }
        }
    check(same, "matmul gives the bits of the plain triple loop, for 1 to 17 rows, transposed or "
                "not, and added to what is there");
}

enum { ROWS = 130, SIZE = 150 };

static bool bag_has(const Batch *batch, size_t b, size_t row) {
    for (uint32_t i = batch->offsets[b]; i < batch->offsets[b + 1]; i++)
        if (batch->indices[i] == row) return true;
    return false;
}

/* The mean loss of a batch, in double, by the definition; with a row, only what its bags add to it.
   parameters: the embedding, linear.weight and linear.bias, one behind the other. */
enum { ALL_BAGS = ROWS };
static double plain_loss(const double *parameters, size_t dim, const Batch *batch, size_t row) {
    const double *linear = parameters + ROWS * dim, *bias = linear + CHARACTERS * dim;
    double total = 0, h[64], logits[CHARACTERS];
    for (size_t b = 0; b < batch->bags; b++) {
        if (row != ALL_BAGS && !bag_has(batch, b, row)) continue;
        for (size_t d = 0; d < dim; d++) h[d] = 0;
        for (uint32_t i = batch->offsets[b]; i < batch->offsets[b + 1]; i++)
            for (size_t d = 0; d < dim; d++) h[d] += parameters[batch->indices[i] * dim + d];
        double sum = 0;
        for (size_t c = 0; c < CHARACTERS; c++) {
            logits[c] = bias[c];
            for (size_t d = 0; d < dim; d++) logits[c] += linear[c * dim + d] * h[d];
            sum += exp(logits[c]);
        }
        for (uint32_t i = batch->target_offsets[b]; i < batch->target_offsets[b + 1]; i++)
            total += log(sum) - logits[batch->targets[i]];
    }
    return total / (double)batch->positions;
}

/* Bag b has b % 4 rows, some of them in other bags, too; some bags have two targets. */
static Batch gradient_batch(void) {
    static uint32_t offsets[SIZE + 1], indices[SIZE * 3], target_offsets[SIZE + 1], rows[ROWS];
    static uint8_t targets[2 * SIZE];
    Batch batch = {SIZE, 0, 0, offsets, indices, target_offsets, targets, rows, NULL};
    bool present[ROWS] = {false};
    for (uint32_t b = 0, end = 0; b <= SIZE; b++) {
        target_offsets[b] = (uint32_t)batch.positions;
        offsets[b] = end;
        for (uint32_t i = 0; b < SIZE && i < 1 + b % 2; i++)
            targets[batch.positions++] = (uint8_t)((b * 37 + i) % CHARACTERS);
        for (uint32_t i = 0; b < SIZE && i < b % 4; i++) {
            uint32_t row = i == 0 ? b * 7 % 20 : 100 + (b * 11 + i) % 30;
            if (!present[row]) rows[batch.distinct++] = row;
            present[row] = true;
            indices[end++] = row;
        }
    }
    return batch;
}

/* The step's gradients, read off an SGD step with rate 1, against central differences. */
static void test_gradients(size_t dim) {
    uint32_t state = 7;
    Training training = {model_allocate(ROWS, dim), {0}, model_allocate(ROWS, dim)};
    Model *model = &training.model;
    Random random = random_seeded(3);
    Batch batch = gradient_batch();
    model_start(model, &random, 1);
    for (size_t i = CHARACTERS * dim; i < ROWS * dim; i++) model->embedding[i] = any(&state);
    size_t embedding = ROWS * dim, all = embedding + linear_size(dim);
    double *parameters = allocate(all, sizeof *parameters, "test"), worst[2] = {0};
    for (size_t i = 0; i < all; i++)
        parameters[i] =
            (double)*(i < embedding ? model->embedding + i : model->linear + i - embedding);
    Optimizer optimizer = {.sgd = true, .embedding_lr = 1, .linear_lr = 1};
    double mean = train_step(&training, &optimizer, &batch), h = 1e-4;
    double loss = plain_loss(parameters, dim, &batch, ALL_BAGS);
    bool untouched = true, present[ROWS] = {false};
    for (size_t u = 0; u < batch.distinct; u++) present[batch.rows[u]] = true;
    for (size_t i = 0; i < all; i++) {
        size_t row = i < embedding ? i / dim : ALL_BAGS;
        double kept = parameters[i];
        double now =
            (double)*(i < embedding ? model->embedding + i : model->linear + i - embedding);
        parameters[i] = kept + h;
        double up = plain_loss(parameters, dim, &batch, row);
        parameters[i] = kept - h;
        double slope = (up - plain_loss(parameters, dim, &batch, row)) / (2 * h);
        parameters[i] = kept;
        worst[row == ALL_BAGS] = fmax(worst[row == ALL_BAGS], fabs(kept - now - slope));
        untouched &= row == ALL_BAGS || present[row] || now == kept;
    }
    check(close_to(mean, loss, 1e-5), "dim %zu: the loss is the definition's to %.1e", dim,
          fabs(mean - loss));
    check(worst[0] < 1e-6 && worst[1] < 1e-6,
          "dim %zu: gradients agree with central differences (embedding %.1e, linear layer %.1e)",
          dim, worst[0], worst[1]);
    check(untouched, "dim %zu: rows that are in no bag do not move by one bit", dim);
    model_free(&training.model);
    model_free(&training.gradient);
    free(parameters);
}

static void test_adagrad(void) {
    float weight[2] = {1, -2}, sum[2] = {0.25f, 0}, gradient[2] = {0.5f, -3};
    Optimizer optimizer = {0};
    update(&optimizer, 0.1f, 2, gradient, sum, weight);
    check(close_to((double)weight[0], 1 - 0.1 * 0.5 / sqrt(0.5), 1e-7) &&
              close_to((double)weight[1], -2 + 0.1, 1e-7) && sum[1] == 9,
          "Adagrad adds the squared gradient first and divides by its root");
}

/* ---- runs ----------------------------------------------------------------------------------- */

/* An order-1 model learns what can be learned. */
static void test_floor(const Text *text) {
    size_t split = (size_t)((double)text->length * 0.9);
    Team *team = team_start(2);
    RowOptions rows = {.order = 1, .min_count = 1, .max_rows = UINT32_MAX};
    Vocabulary vocabulary = vocabulary_list(text->ids, split, rows);
    RunOptions options = {.dim = 64, .batch = 256, .epochs = 12, .embedding_lr = 0.1};
    options.linear_lr = 0.02;
    options.deviation = options.seed = 1;
    Trainer *trainer = trainer_start(team, &vocabulary, text->ids, split, options, NULL);
    while (trainer_run(trainer, RUN_STEPS)) {
    }
    Bags bags = bags_find(team, &vocabulary, text->ids, 1, split - 1);
    double loss = text_loss(team, &trainer->model, &vocabulary, &bags);
    double floor = baselines_of(text->ids, split).bigram;
    check(loss < floor + 0.01 && loss > floor - 1e-6,
          "order 1, dim 64: %.4f nats/char on its training part, whose conditional entropy is %.4f",
          loss, floor);
    bags_free(&bags);
    trainer_end(trainer);
    vocabulary_free(&vocabulary);
    team_end(team);
}

/* Bits of the embedding after some batches. */
static uint64_t learned(int members, Vocabulary *vocabulary, const Text *text, size_t batch,
                        bool reference) {
    RunOptions options = {.dim = 13, .batch = batch, .epochs = 2, .embedding_lr = 0.1};
    options.linear_lr = 0.02;
    options.accumulator = 1e-5;
    options.deviation = 0.1;
    options.reference = reference;
    Team *team = team_start(members);
    Trainer *trainer = trainer_start(team, vocabulary, text->ids, 40000, options, NULL);
    size_t few = 20000 / batch, steps = trainer_run(trainer, few);
    check(steps == few, "batches of %zu, %d threads: %zu steps", batch, members, steps);
    uint64_t bits = text_fingerprint((uint8_t *)trainer->model.embedding,
                                     vocabulary->rows * options.dim * sizeof(float));
    trainer_end(trainer);
    team_end(team);
    return bits;
}

static void test_threads(const Text *text) {
    static const size_t batches[] = {5, 32, 300, 700};
    RowOptions rows = {.order = 4, .min_count = 1, .max_rows = UINT32_MAX, .phrases = true};
    rows.columns = true;
    Vocabulary vocabulary = vocabulary_list(text->ids, 40000, rows);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        uint64_t bits = learned(1, &vocabulary, text, batches[b], true);
        for (int members = 1; members <= 3; members++)
            check(learned(members, &vocabulary, text, batches[b], false) == bits,
                  "batches of %zu, %d threads: the bits of model.h's step", batches[b], members);
    }
    vocabulary_free(&vocabulary);
}

/* Logits far below zero, and one that is no number. */
static void test_softmax(void) {
    float logits[CHARACTERS];
    for (int c = 0; c < CHARACTERS; c++) logits[c] = -3e30f;
    double log_sum = softmax(logits);
    check(close_to((double)logits[0], 0.01, 1e-6) && close_to((double)logits[99], 0.01, 1e-6) &&
              close_to(log_sum / -3e30, 1, 1e-6),
          "logits of -3e30: p is 1/100 for each of the 100");
    bool spreads = true;
    for (int c = 0; c < CHARACTERS; c++) {
        for (int i = 0; i < CHARACTERS; i++) logits[i] = (float)i;
        logits[c] = NAN;
        softmax(logits);
        spreads &= isnan(logits[0]) && isnan(logits[99]);
    }
    check(spreads, "a logit that is NaN makes every p NaN");
}

int main(void) {
    Text text = text_read("data/text.txt", true);
    test_characters();
    test_exact();
    test_norms();
    test_random();
    test_matmul();
    test_softmax();
    test_gradients(10);
    test_gradients(32);
    test_gradients(1);
    test_adagrad();
    test_threads(&text);
    test_floor(&text);
    free(text.ids);
    return 0;
}

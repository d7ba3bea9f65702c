/* the model's parts against mathematics: exact functions, start, layers, gradients, updates. */
#include "../../model.h"

#include "../../lib/characters.h"
#include "../../lib/kernels.h"
#include "../../lib/memory.h"
#include "../../lib/baselines.h"
#include "../../lib/text.h"
#include "../../lib/trainer.h"
#include "../check.h"

#include <stdlib.h>

/* ---- characters ------------------------------------------------------------------------------- */

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

/* ---- exact functions -------------------------------------------------------------------------- */

static void test_exact(void) {
    double worst = 0;
    for (double x = -87; x <= 0; x += 0.0137)
        worst = fmax(worst, fabs((double)exact_expf((float)x) / exp((double)(float)x) - 1));
    check(worst < 3e-7, "exact_expf agrees with exp to %.1e", worst);
    uint32_t nan_bits[] = {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xff9abcdeu};
    bool passes = true;
    for (size_t i = 0; i < 4; i++) {
        float nan;
        memcpy(&nan, &nan_bits[i], sizeof nan);
        passes &= isnan(exact_expf(nan));
    }
    check(passes && exact_expf(-1e30f) == exact_expf(-87) && exact_expf(-INFINITY) > 0,
          "exact_expf gives NaN for NaN, and e^-87 for all that is smaller");
    worst = 0;
    for (double x = 1e-30; x < 1e30; x *= 1.037)
        worst = fmax(worst, fabs(exact_log(x) - log(x)) / fmax(1, fabs(log(x))));
    check(worst < 5e-16, "exact_log agrees with log to %.1e", worst);
    worst = 0;
    for (double turn = 0; turn < 1; turn += 1.0 / 4093)
        worst = fmax(worst, fmax(fabs(exact_cos_turns(turn) - cos(6.283185307179586 * turn)),
                                 fabs(exact_sin_turns(turn) - sin(6.283185307179586 * turn))));
    check(worst < 2e-15, "exact_cos_turns and exact_sin_turns agree with cos and sin to %.1e",
          worst);
    worst = 0;
    for (double x = -600; x < 600; x += 0.731) worst = fmax(worst, fabs(exact_exp(x) / exp(x) - 1));
    check(worst < 5e-13, "exact_exp agrees with exp to %.1e", worst);
    float v[] = {3, -4, 0.5f};
    check(close_to(exact_norm(v, 3, 2), sqrt(25.25), 1e-12) &&
              close_to(exact_norm(v, 3, 1), 7.5, 1e-9) &&
              close_to(exact_norm(v, 3, INFINITY), 4, 0) &&
              close_to(exact_norm(v, 3, 3), cbrt(27 + 64 + 0.125), 1e-9),
          "exact_norm has the norms 1, 2, 3 and infinity");
    float five[] = {5, -1, 0}, large[] = {3e38f, -3e38f}, small[] = {3e-38f, 3e-38f}, ones[64];
    for (int i = 0; i < 64; i++) ones[i] = 1;
    check(close_to(exact_norm(five, 3, 1000), 5, 1e-9) &&
              close_to(exact_norm(five, 3, 1e30), 5, 1e-9) &&
              close_to(exact_norm(large, 2, 3) / 3e38, cbrt(2), 1e-6) &&
              close_to(exact_norm(large, 2, 50) / 3e38, pow(2, 0.02), 1e-6) &&
              close_to(exact_norm(large, 2, 2) / 3e38, sqrt(2), 1e-6) &&
              close_to(exact_norm(small, 2, 50) / 3e-38, pow(2, 0.02), 1e-6),
          "exact_norm has norms of large and small numbers, of large p");
    check(close_to(exact_norm(ones, 64, 0.01) / pow(64, 100), 1, 1e-9) &&
              exact_norm(ones, 64, 1e-3) == INFINITY,
          "exact_norm has norms of small p, infinite where no double is as large");
    float none[] = {0, 0};
    check(exact_norm(none, 2, 3) == 0 && exact_norm(none, 2, 2) == 0, "exact_norm of zeros is 0");
}

/* ---- the start -------------------------------------------------------------------------------- */

/* Known values of PyTorch 1.13 on the CPU: torch.manual_seed(1); torch.nn.Embedding(100, 10).weight[0, 0:5] and [99, 5:10];
   then torch.nn.Linear(10, 100).weight[0, 0:3] and .bias[0:2]; then torch.randperm(10). tests/golden.py prints more of them. */
static void test_known_generator(void) {
    Random random = random_seeded(5489);
    uint32_t first = random_bits(&random), last = 0;
    for (int i = 1; i < 10000; i++) last = random_bits(&random);
    check(first == 3499211612u && last == 4123659995u,
          "MT19937 seeded with 5489 gives its published first and 10,000th number");
    uint64_t order[1000];
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 1000; i++) order[i] = i;
    random_shuffle(&random, order, 1000);
    bool present[1000] = {false};
    for (int i = 0; i < 1000; i++) present[order[i]] = true;
    for (int i = 0; i < 1000; i++) seen += present[i];
    check(seen == 1000, "random_shuffle loses nothing");
    float values[10007];
    random_normal(&random, values, 10007, 2);
    double sum = 0, squares = 0;
    for (int i = 0; i < 10007; i++)
        sum += (double)values[i], squares += (double)values[i] * (double)values[i];
    check(fabs(sum / 10007) < 0.08 && fabs(sqrt(squares / 10007) - 2) < 0.06,
          "random_normal has mean 0 and its deviation (%.3f, %.3f)", sum / 10007,
          sqrt(squares / 10007));
}

/* ---- layers and gradients --------------------------------------------------------------------- */

static float any(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-24f - 0.5f;
}

static void test_matmul(void) {
    enum { COLUMNS_MOST = 7 * LANES }; /* so that strips of all widths come up */
    float a[17 * 13], b[13 * COLUMNS_MOST], start[COLUMNS_MOST], out[17 * COLUMNS_MOST];
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) a[i] = any(&state);
    for (size_t i = 0; i < sizeof b / sizeof *b; i++) b[i] = any(&state);
    for (int i = 0; i < COLUMNS_MOST; i++) start[i] = any(&state);
    bool same = true;
    for (size_t rows = 1; rows <= 17; rows++)
        for (int turned = 0; turned < 2; turned++) {
            Matrix result = {out, COLUMNS_MOST, 1}, none = {0}, alike = {start, 0, 1};
            Matrix left = {a, turned ? 1 : 13, turned ? rows : 1}, right = {b, COLUMNS_MOST, 1};
            matmul(rows, COLUMNS_MOST, 13, result, turned ? none : alike, left, right);
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < COLUMNS_MOST; j++) {
                    float sum = turned ? 0 : start[j];
                    for (size_t k = 0; k < 13; k++)
                        sum += (turned ? a[k * rows + i] : a[i * 13 + k]) * b[k * COLUMNS_MOST + j];
                    same &= sum == out[i * COLUMNS_MOST + j];
                }
            float twice[17 * COLUMNS_MOST];
            memcpy(twice, out, rows * COLUMNS_MOST * sizeof(float));
            matmul(rows, COLUMNS_MOST, 13, result, result, left, right);
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < COLUMNS_MOST; j++) {
                    for (size_t k = 0; k < 13; k++)
                        twice[i * COLUMNS_MOST + j] +=
                            (turned ? a[k * rows + i] : a[i * 13 + k]) * b[k * COLUMNS_MOST + j];
                    same &= twice[i * COLUMNS_MOST + j] == out[i * COLUMNS_MOST + j];
                }
        }
    check(same, "matmul gives the bits of the plain triple loop, for 1 to 17 rows, transposed or "
                "not, and added to what is there");
}

enum { ROWS = 130, SIZE = 150 /* four parts */ };

static bool bag_has(const Batch *batch, size_t b, size_t row) {
    for (uint32_t i = batch->offsets[b]; i < batch->offsets[b + 1]; i++)
        if (batch->indices[i] == row) return true;
    return false;
}

/* The mean loss of a batch, in double, by the definition; with a row, only what its bags add to it. */
enum { ALL_BAGS = ROWS };
static double plain_loss(const double *embedding, const double *linear, size_t dim,
                         const Batch *batch, size_t row) {
    const double *bias = linear + CHARACTERS * dim;
    double total = 0, h[64], logits[CHARACTERS];
    for (size_t b = 0; b < batch->bags; b++) {
        if (row != ALL_BAGS && !bag_has(batch, b, row)) continue;
        for (size_t d = 0; d < dim; d++) h[d] = 0;
        for (uint32_t i = batch->offsets[b]; i < batch->offsets[b + 1]; i++)
            for (size_t d = 0; d < dim; d++) h[d] += embedding[batch->indices[i] * dim + d];
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

/* The largest difference between the gradients and central differences of plain_loss. The step's gradients are read
   off an SGD step with rate 1: new = old - gradient. */
static void test_gradients(size_t dim) {
    uint32_t state = 7;
    Training training = {model_allocate(ROWS, dim), {0}, model_allocate(ROWS, dim)};
    Model *model = &training.model;
    Random random = random_seeded(3);
    model_start(model, &random, 1);
    for (size_t i = CHARACTERS * dim; i < ROWS * dim; i++) model->embedding[i] = any(&state);
    uint32_t offsets[SIZE + 1], indices[SIZE * 3], target_offsets[SIZE + 1], rows[ROWS],
        frequency[ROWS], end = 0, targets_end = 0;
    uint8_t targets[2 * SIZE];
    bool is_on[ROWS] = {false};
    for (
        uint32_t b = 0; b < SIZE;
        b++) { /* bag b has b % 4 rows, some of them in other bags too; bag 0 has none; some have two targets */
        target_offsets[b] = targets_end;
        for (uint32_t i = 0; i < 1 + b % 2; i++)
            targets[targets_end++] = (uint8_t)((b * 37 + i) % CHARACTERS);
        offsets[b] = end;
        for (uint32_t i = 0; i < b % 4; i++)
            indices[end++] = i == 0 ? b * 7 % 20 : 100 + (b * 11 + i) % 30;
    }
    offsets[SIZE] = end;
    target_offsets[SIZE] = targets_end;
    Batch batch = {SIZE,           targets_end, 0,    offsets,  indices,
                   target_offsets, targets,     rows, frequency};
    for (uint32_t i = 0; i < end; i++) {
        if (!is_on[indices[i]]) rows[batch.distinct++] = indices[i];
        is_on[indices[i]] = true;
    }
    size_t embedding_count = ROWS * dim, linear_count = linear_size(dim);
    double *embedding = allocate(embedding_count, sizeof(double), "test"),
           *linear = allocate(linear_count, sizeof(double), "test");
    for (size_t i = 0; i < embedding_count; i++) embedding[i] = (double)model->embedding[i];
    for (size_t i = 0; i < linear_count; i++) linear[i] = (double)model->linear[i];
    Optimizer optimizer = {.sgd = true, .embedding_lr = 1, .linear_lr = 1};
    double mean = train_step(&training, &optimizer, &batch),
           loss = plain_loss(embedding, linear, dim, &batch, ALL_BAGS), worst[2] = {0};
    bool untouched = true;
    struct {
        double *values;
        size_t count;
        const float *now;
    } parts[] = {{embedding, embedding_count, model->embedding},
                 {linear, linear_count, model->linear}};
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < parts[p].count; i++) {
            double kept = parts[p].values[i], h = 1e-4, now = (double)parts[p].now[i];
            size_t row = p == 0 ? i / dim : ALL_BAGS;
            parts[p].values[i] = kept + h;
            double up = plain_loss(embedding, linear, dim, &batch, row);
            parts[p].values[i] = kept - h;
            double down = plain_loss(embedding, linear, dim, &batch, row);
            parts[p].values[i] = kept;
            worst[p] = fmax(worst[p], fabs((kept - now) - (up - down) / (2 * h)));
            untouched &= p == 1 || is_on[i / dim] || now == kept;
        }
    check(close_to(mean, loss, 1e-5), "dim %zu: the loss is the definition's to %.1e", dim,
          fabs(mean - loss));
    check(worst[0] < 1e-6 && worst[1] < 1e-6,
          "dim %zu: gradients agree with central differences (embedding %.1e, linear layer %.1e)",
          dim, worst[0], worst[1]);
    check(untouched, "dim %zu: rows that are in no bag do not move by one bit", dim);
    model_free(&training.model);
    model_free(&training.gradient);
    free(embedding);
    free(linear);
}

static void test_adagrad(void) {
    float weight[2] = {1, -2}, sum[2] = {0.25f, 0}, gradient[2] = {0.5f, -3};
    Optimizer optimizer = {0};
    update(&optimizer, 0.1f, 2, gradient, sum, weight);
    check(close_to((double)weight[0], 1 - 0.1 * 0.5 / sqrt(0.5), 1e-7) &&
              close_to((double)weight[1], -2 + 0.1, 1e-7) && sum[1] == 9,
          "Adagrad adds the squared gradient first and divides by its root");
}

/* ---- an order-1 model learns what can be learned ---------------------------------------------- */

static void test_floor(const char *path) {
    Text text = text_read(path, true);
    size_t split = (size_t)((double)text.length * 0.9);
    Team *team = team_start(2);
    RowOptions rows = {.order = 1, .min_count = 1, .max_rows = UINT32_MAX};
    Vocabulary vocabulary = vocabulary_list(text.ids, split, rows);
    RunOptions options = {.dim = 64,
                          .batch = 256,
                          .epochs = 12,
                          .embedding_lr = 0.1,
                          .linear_lr = 0.02,
                          .deviation = 1,
                          .seed = 1,
                          .norm_type = 2};
    Trainer *trainer = trainer_start(team, &vocabulary, text.ids, split, options, NULL);
    while (trainer_run(trainer, RUN_STEPS)) {
    }
    Bags found = bags_find(team, &vocabulary, text.ids, 1, split - 1);
    double loss = text_loss(team, &trainer->model, &vocabulary, &found);
    double floor = baselines_of(text.ids, split).bigram;
    check(loss < floor + 0.01 && loss > floor - 1e-6,
          "order 1, dim 64: %.4f nats/char on its training part, whose conditional entropy is %.4f",
          loss, floor);
    bags_free(&found);
    trainer_end(trainer);
    vocabulary_free(&vocabulary);
    team_end(team);
    free(text.ids);
}

/* ---- any number of threads ----------------------------------------------------------------------- */

/* Bits of the embedding after some batches. */
static uint64_t learned(Team *team, Vocabulary *vocabulary, const Text *text, size_t batch,
                        bool reference) {
    RunOptions options = {.dim = 13,
                          .batch = batch,
                          .epochs = 2,
                          .embedding_lr = 0.1,
                          .linear_lr = 0.02,
                          .accumulator = 1e-5,
                          .deviation = 0.1,
                          .seed = 1,
                          .norm_type = 2,
                          .reference = reference};
    Trainer *trainer = trainer_start(team, vocabulary, text->ids, 40000, options, NULL);
    size_t few = 20000 / batch, steps = trainer_run(trainer, few);
    check(steps == few, "batches of %zu, %d threads: %zu steps", batch, team_size(team), steps);
    uint64_t bits = text_fingerprint((uint8_t *)trainer->model.embedding,
                                     vocabulary->rows * options.dim * sizeof(float));
    trainer_end(trainer);
    return bits;
}

static void test_threads(const char *path) {
    Text text = text_read(path, true);
    static const size_t batches[] = {5, 32, 300, 700};
    Team *one = team_start(1);
    Vocabulary vocabulary = vocabulary_list(
        text.ids, 40000,
        (RowOptions){
            .order = 4, .min_count = 1, .max_rows = UINT32_MAX, .phrases = true, .columns = true});
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        uint64_t bits = learned(one, &vocabulary, &text, batches[b], true);
        for (int members = 1; members <= 3; members++) {
            Team *team = team_start(members);
            check(learned(team, &vocabulary, &text, batches[b], false) == bits,
                  "batches of %zu, %d threads: the bits of model.h's step", batches[b], members);
            team_end(team);
        }
    }
    vocabulary_free(&vocabulary);
    team_end(one);
    free(text.ids);
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
    test_characters();
    test_exact();
    test_known_generator();
    test_matmul();
    test_softmax();
    test_gradients(10);
    test_gradients(32);
    test_gradients(1);
    test_adagrad();
    test_threads("data/text.txt");
    test_floor("data/text.txt");
    return 0;
}

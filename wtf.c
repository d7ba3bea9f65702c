/* wtf.c: "WTF does nn.Embedding do?", answered by running it.

   Six sections, in the order of the notebook of that name. Each says one thing, computes it with the functions of
   model.h that also train the real models, and ends in checks that can fail. The exit status is 0 only when all hold. */
#include "model.h"

#include "lib/fail.h"
#include "lib/step.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] = "wtf [OPTIONS] [STRING]: what nn.Embedding does, computed in front of you and checked. The notebook that it speaks\n"
                            "of is \"WTF does nn.Embedding do?\": PyTorch's nn.Embedding(100, 10) looks up the characters of that string.\n";
static const char examples[] = "Examples:\n"
                               "  wtf                      the notebook's string, \"WTF does nn.Embedding do?\"\n"
                               "  wtf \"hello, world\"       another one\n"
                               "  wtf | less               plain text, without colours\n";

enum { DIM = 10, SHOWN = 25, STEPS = 100, EXACT_SEED = 1 };

/* Row 10, the one of 'a', after torch.manual_seed(1); torch.nn.Embedding(100, 10): PyTorch 1.13 on the CPU, as tests/golden.py prints it. */
static const float pytorch_a[DIM] = {1.38514566f, -0.813846231f, -0.927576542f, 1.11196327f, 1.33520567f,
                                     0.604273617f, -0.10344208f, -0.151216924f, -2.10208297f, -0.620021939f};

/* ---- how it is said --------------------------------------------------------------------------- */

static bool colour;
static int failures;

static void section(int number, const char *title) {
    printf(colour ? "\n\033[1;36m%d  %s\033[0m\n\n" : "\n%d  %s\n\n", number, title);
}

/* A check in words (printf style), with its numbers. */
static void __attribute__((format(printf, 2, 3))) check(bool holds, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *on = !colour ? "" : holds ? "\033[32m" : "\033[1;31m";
    printf("   %s%s%s  ", on, holds ? "holds" : "FAILS", colour ? "\033[0m" : "");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    failures += !holds;
}

static void print_row(const char *name, const float *row, size_t dim) {
    printf("   %-10s", name);
    for (size_t d = 0; d < dim; d++) printf(" %7.4f", (double)row[d]);
    printf("\n");
}

/* A row as PyTorch prints a tensor of shape [1, 1, dim]: four decimals, one width, lines of at most 80. */
static void print_tensor(const float *row, size_t dim) {
    const char *open = "tensor([[[";
    int width = 0;
    for (size_t d = 0; d < dim; d++) {
        int length = snprintf(NULL, 0, "%.4f", (double)row[d]);
        if (length > width) width = length;
    }
    size_t indent = strlen(open), in_line = (80 - indent) / ((size_t)width + 2);
    printf("%s", open);
    for (size_t d = 0; d < dim; d++) {
        if (d > 0 && d % in_line == 0) printf("\n   %*s", (int)indent, "");
        printf("%*.4f%s", width, (double)row[d], d + 1 == dim ? "]]])\n" : (d + 1) % in_line == 0 ? "," : ", ");
    }
}

/* Ids [count] in order of first appearance, as characters. */
static void print_characters(const bool *present, bool wanted) {
    char name[8];
    for (uint8_t c = 0; c < CHARACTERS; c++)
        if (present[c] == wanted) printf(" %s", character_name(character_of(c), name));
}

static double largest_difference(const float *a, const float *b, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= largest)) largest = difference;
    }
    return largest;
}

static double cosine(const float *a, const float *b, size_t count) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < count; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

/* ---- what all sections share ------------------------------------------------------------------ */

typedef struct {
    const char *string;
    size_t length;
    uint32_t *ids;           /* [length] */
    bool present[CHARACTERS]; /* occurs in the string */
    uint32_t seed;
    Model model; /* nn.Embedding(100, 10) -> nn.Linear(10, 100), at its start */
    Team *team;  /* of one */
    const char *data; /* a folder for the numbers behind the pictures, or "" */
} Story;

static Model started_model(const Story *story) {
    Model model = model_allocate(CHARACTERS, DIM);
    Random random = random_seeded(story->seed);
    model_start(&model, &random, 1);
    return model;
}

/* The embedding of ids [count]: one row for each, out [count, 10]. */
static void look_up(const Model *model, const uint32_t *ids, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) embedding_forward(model, ids + i, 1, out + i * model->dim);
}

static void encode(Story *story) {
    story->length = strlen(story->string);
    if (story->length == 0) wrong_use("the string is empty: give at least one character, such as a");
    story->ids = allocate(story->length, sizeof *story->ids, "the string");
    for (size_t i = 0; i < story->length; i++) {
        unsigned char byte = (unsigned char)story->string[i];
        int id = id_of(byte);
        if (id < 0)
            wrong_use("the string's byte %zu (0x%02x) is not one of the 100 printable characters; leave it out or use a look-alike", i + 1,
                      (unsigned)byte);
        story->ids[i] = (uint32_t)id;
        story->present[id] = true;
    }
}

/* ---- 1 ---------------------------------------------------------------------------------------- */

static void characters_to_ids(const Story *story) {
    section(1, "Characters become ids");
    printf("   A model reads numbers, not letters. There are 100 printable characters (Python's\n"
           "   string.printable); a character's id is its place among them, counted from 0:\n\n");
    static const uint8_t starts[] = {0, 10, 36, 62, 94, CHARACTERS};
    for (size_t line = 0; line + 1 < sizeof starts; line++) {
        printf("   %5u ", (unsigned)starts[line]);
        for (uint8_t id = starts[line]; id < starts[line + 1]; id++) {
            char name[8];
            printf("%s%s", starts[line] == 94 ? " " : id == starts[line] ? " " : "", character_name(character_of(id), name));
        }
        printf("\n");
    }
    char *name = allocate(story->length, 4, "the string"); /* escaped needs 4 bytes a character, and one */
    name = reallocate(name, 4 * story->length + 1, 1, "the string");
    printf("\n   \"%s\" becomes\n", escaped(story->string, story->length, name));
    free(name);
    size_t shown = story->length < 2 * SHOWN ? story->length : 2 * SHOWN;
    for (size_t from = 0; from < shown; from += 13) {
        char letter[8];
        size_t to = from + 13 < shown ? from + 13 : shown;
        printf("\n   ");
        for (size_t i = from; i < to; i++) printf(" %5s", character_name(story->string[i], letter));
        printf("\n   ");
        for (size_t i = from; i < to; i++) printf(" %5u", (unsigned)story->ids[i]);
        printf("\n");
    }
    char number[32];
    if (shown < story->length) printf("    and %s more\n", grouped(story->length - shown, number));
    printf("\n   Input Tensor Shape: [1, %zu], one string of %zu character%s\n\n", story->length, story->length, story->length == 1 ? "" : "s");

    bool places = true, back = true;
    for (int id = 0; id < CHARACTERS; id++) places &= id_of((unsigned char)character_of((uint8_t)id)) == id;
    places &= id_of('0') == 0 && id_of('a') == 10 && id_of('A') == 36 && id_of('!') == 62 && id_of(' ') == 94 && id_of('\f') == 99;
    for (size_t i = 0; i < story->length; i++) back &= character_of((uint8_t)story->ids[i]) == story->string[i];
    check(places, "100 characters have 100 different ids, 0 to 99");
    check(back, "the ids, turned back into characters, spell the string");
}

/* ---- 2 ---------------------------------------------------------------------------------------- */

static void the_table(const Story *story) {
    section(2, "nn.Embedding(100, 10) is a table: 100 rows of 10 numbers");
    const Model *model = &story->model;
    size_t count = CHARACTERS * DIM;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += (double)model->embedding[i];
    double mean_value = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += ((double)model->embedding[i] - mean_value) * ((double)model->embedding[i] - mean_value);
    double deviation = sqrt(squares / (double)(count - 1));
    printf("   It knows nothing yet: its 1,000 numbers are drawn from N(0, 1), the normal distribution\n"
           "   with mean 0 and standard deviation 1. Measured: mean %.4f, deviation %.4f.\n\n", mean_value, deviation);

    float *out = allocate(story->length, DIM * sizeof *out, "the rows");
    look_up(model, story->ids, story->length, out);
    bool rows = true;
    for (size_t i = 0; i < story->length; i++)
        rows &= !memcmp(out + i * DIM, model->embedding + story->ids[i] * DIM, DIM * sizeof *out);
    free(out);
    printf("   Embedding a string is looking its ids up: %zu id%s in, %zu row%s out, nothing computed.\n\n", story->length,
           story->length == 1 ? "" : "s", story->length, story->length == 1 ? "" : "s");
    printf("   Output Tensor Shape: [1, %zu, %d]\n", story->length, DIM);
    uint32_t a = (uint32_t)id_of('a');
    float a_row[DIM + 6];
    look_up(model, &a, 1, a_row);
    printf("   Embedding for 'a': seed %lu, so other numbers than the notebook's, which set none\n   ", (unsigned long)story->seed);
    print_tensor(a_row, DIM);
    printf("\n");

    Story exact = {.seed = EXACT_SEED};
    Model pytorch_start = started_model(&exact);
    look_up(&pytorch_start, &a, 1, a_row);
    double difference = largest_difference(a_row, pytorch_a, DIM);
    model_free(&pytorch_start);
    check(fabs(mean_value) < 5 / sqrt((double)count) && fabs(deviation - 1) < 5 / sqrt(2 * (double)count),
          "mean and deviation are 0 and 1, within 5 standard errors of 1,000 numbers");
    check(rows, "what comes out for each character is its row, bit for bit");
    check(difference <= 1e-6, "after torch.manual_seed(%d), PyTorch has this row of 'a', too: largest difference %.0e", EXACT_SEED, difference);
}

/* ---- 3 ---------------------------------------------------------------------------------------- */

/* The least nanoseconds that one call took, of several rounds: what else the machine does only makes it longer. */
typedef struct {
    const Story *story;
    const float *one_hot; /* [length, 100] */
    const float *table;   /* [100, 10] */
    float *out;           /* [length, 10] */
} Lookup;

static void by_product(const Lookup *work) {
    for (size_t i = 0; i < work->story->length; i++) {
        float *out = work->out + i * DIM;
        memset(out, 0, DIM * sizeof *out);
        for (size_t c = 0; c < CHARACTERS; c++)
            for (size_t d = 0; d < DIM; d++) out[d] += work->one_hot[i * CHARACTERS + c] * work->table[c * DIM + d];
    }
}

static void by_row(const Lookup *work) { look_up(&work->story->model, work->story->ids, work->story->length, work->out); }

static double nanoseconds(void (*volatile call)(const Lookup *), const Lookup *work) {
    double least = INFINITY;
    for (int round = 0; round < 20; round++) {
        double start = seconds_now(), elapsed;
        size_t calls = 0;
        do {
            for (int i = 0; i < 20; i++) call(work);
            calls += 20;
        } while ((elapsed = seconds_now() - start) < 5e-4);
        if (elapsed / (double)calls < least) least = elapsed / (double)calls;
    }
    return least * 1e9;
}

static void lookup_is_multiplication(const Story *story) {
    section(3, "Looking up is multiplying");
    size_t length = story->length, stride = DIM;
    printf("   A one-hot vector is 0 everywhere but 1 at the id. Times the table, it picks the id's row:\n"
           "   99 rows are multiplied by 0, one by 1. So the look-up is a matrix product, and\n"
           "   differentiable like any other. It only leaves out the work:\n\n");
    float *one_hot = allocate(length * CHARACTERS, sizeof *one_hot, "one-hot vectors"), *table = allocate(CHARACTERS * stride, sizeof *table, "the table");
    for (size_t i = 0; i < length; i++) one_hot[i * CHARACTERS + story->ids[i]] = 1;
    for (size_t c = 0; c < CHARACTERS; c++) memcpy(table + c * stride, story->model.embedding + c * DIM, DIM * sizeof *table);
    float *product = allocate(length * stride, sizeof *product, "the rows"), *rows = allocate(length * stride, sizeof *rows, "the rows");
    Lookup multiplying = {story, one_hot, table, product}, looking = {story, one_hot, table, rows};
    double product_time = nanoseconds(by_product, &multiplying), row_time = nanoseconds(by_row, &looking);
    size_t product_work = length * CHARACTERS * DIM, row_work = length * DIM;
    char a[32], b[32];
    printf("                                one-hot [%zu, 100] times table    looking up %zu row%s\n", length, length, length == 1 ? "" : "s");
    printf("   multiplications              %-33s 0\n", grouped(product_work, a));
    printf("   numbers read from the table  %-33s %s\n", grouped(product_work, a), grouped(row_work, b));
    printf("   nanoseconds, here and now    %-33.0f %.0f\n\n", product_time, row_time);
    bool same = true;
    for (size_t i = 0; i < length; i++) same &= !memcmp(product + i * stride, rows + i * stride, DIM * sizeof *rows);
    check(same, "one-hot times table gives the rows of the look-up, bit for bit");
    free(one_hot);
    free(table);
    free(product);
    free(rows);
}

/* ---- 4 ---------------------------------------------------------------------------------------- */

/* A batch whose bags have one target each. */
static Batch small_batch(size_t bags, size_t indices) {
    Batch batch = {.bags = bags, .positions = bags};
    batch.offsets = allocate(bags + 1, sizeof(uint32_t), "a batch");
    batch.indices = allocate(indices, sizeof(uint32_t), "a batch");
    batch.target_offsets = allocate(bags + 1, sizeof(uint32_t), "a batch");
    batch.targets = allocate(bags, 1, "a batch");
    batch.rows = allocate(indices, sizeof(uint32_t), "a batch");
    for (uint32_t b = 0; b <= bags; b++) batch.target_offsets[b] = b;
    return batch;
}

static void small_batch_free(Batch *batch) {
    free(batch->offsets);
    free(batch->indices);
    free(batch->target_offsets);
    free(batch->targets);
    free(batch->rows);
}

/* Lists the rows among the indices, once each. */
static void list_rows(Batch *batch, size_t rows) {
    bool *listed = allocate(rows, sizeof *listed, "a batch");
    for (uint32_t i = 0; i < batch->offsets[batch->bags]; i++) {
        if (!listed[batch->indices[i]]) batch->rows[batch->distinct++] = batch->indices[i];
        listed[batch->indices[i]] = true;
    }
    free(listed);
}

static Training training_of(Model model) {
    Training training = {.model = model};
    training.sum = model_allocate(model.rows, model.dim);
    training.gradient = model_allocate(model.rows, model.dim);
    training.part = model_allocate(0, model.dim);
    return training;
}

static void training_free(Training *training) {
    model_free(&training->model);
    model_free(&training->sum);
    model_free(&training->gradient);
    model_free(&training->part);
}

/* Each character of the string is to predict the next one, and the last one the first: a ring, so that
   each character that occurs is looked up. */
static Batch string_batch(const Story *story) {
    Batch batch = small_batch(story->length, story->length);
    for (uint32_t b = 0; b < batch.bags; b++) {
        batch.offsets[b] = b;
        batch.indices[b] = story->ids[b];
        batch.targets[b] = (uint8_t)story->ids[(b + 1) % batch.bags];
    }
    batch.offsets[batch.bags] = (uint32_t)batch.bags;
    list_rows(&batch, CHARACTERS);
    return batch;
}

/* The mean loss of a batch; right [bags], if not NULL, gets each p[target]. */
static double present_loss(const Model *model, const Batch *batch, double *right) {
    double loss = 0;
    for (size_t b = 0; b < batch->bags; b++) {
        float h[MAX_DIM], p[CHARACTERS];
        embedding_forward(model, batch->indices + batch->offsets[b], batch->offsets[b + 1] - batch->offsets[b], h);
        linear_forward(model, h, p);
        loss += cross_entropy_forward(p, batch->targets + b, 1);
        if (right) right[b] = (double)p[batch->targets[b]];
    }
    return loss / (double)batch->positions;
}

/* The mean loss by its definition, in double: what finite differences are taken of. */
static double loss_by_definition(const Model *model, const Batch *batch, size_t nudged, double by) {
    double total = 0;
    for (size_t b = 0; b < batch->bags; b++) {
        double sum = 0, next = 0;
        for (size_t c = 0; c < CHARACTERS; c++) {
            double logit = (double)model->bias[c];
            for (size_t d = 0; d < model->dim; d++) {
                double h = 0;
                for (uint32_t i = batch->offsets[b]; i < batch->offsets[b + 1]; i++) {
                    size_t at = batch->indices[i] * model->dim + d;
                    h += (double)model->embedding[at] + (at == nudged ? by : 0);
                }
                logit += (double)model->linear[c * model->dim + d] * h;
            }
            sum += exp(logit);
            if (c == batch->targets[b]) next = logit;
        }
        total += log(sum) - next;
    }
    return total / (double)batch->bags;
}

static FILE *data_file(const Story *story, const char *name) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", story->data, name) >= (int)sizeof path) wrong_use("--data: this name is too long");
    FILE *file = fopen(path, "w");
    if (!file) fail("%s: cannot be written: %s; name a folder that is there with --data", path, strerror(errno));
    return file;
}

static void data_close(FILE *file) {
    bool bad = ferror(file) != 0;
    if (fclose(file) || bad) fail("--data: a file could not be written whole; is the disk full?");
}

/* The rows of the characters that occur, before and after. */
static void save_rows(const Story *story, const Model *after) {
    FILE *file = data_file(story, "rows.csv");
    for (uint8_t c = 0; c < CHARACTERS; c++) {
        char name[8];
        if (!story->present[c]) continue;
        fprintf(file, "%u\t%s", (unsigned)c, character_name(character_of(c), name));
        for (size_t d = 0; d < DIM; d++) fprintf(file, "\t%.6f", (double)story->model.embedding[c * DIM + d]);
        for (size_t d = 0; d < DIM; d++) fprintf(file, "\t%.6f", (double)after->embedding[c * DIM + d]);
        fprintf(file, "\n");
    }
    data_close(file);
}

static void it_learns(const Story *story) {
    section(4, "It learns");
    Training training = training_of(started_model(story)), frozen_training = training_of(started_model(story));
    Model model = training.model, frozen = frozen_training.model;
    Batch batch = string_batch(story);
    double start = present_loss(&model, &batch, NULL);
    printf("   Let each character predict the next one, and the last one the first. Its row goes through\n"
           "   nn.Linear(10, 100) and softmax, which makes probabilities; the loss is -ln p[next]:\n"
           "   %.4f nats per character at the start, where blind guessing has ln 100 = %.4f.\n\n", start, log(100));

    /* gradients, by backpropagation and by finite differences */
    for (size_t b = 0; b < batch.bags; b++) train_bag(&training, &batch, b);
    bool got[CHARACTERS] = {false}, exactly = true;
    size_t occurring = 0;
    float watched_gradient[DIM] = {0}, differences[DIM];
    uint32_t watched = story->ids[0];
    for (size_t u = 0; u < batch.distinct; u++) {
        const float *gradient = training.gradient.embedding + batch.rows[u] * DIM;
        for (size_t d = 0; d < DIM; d++) got[batch.rows[u]] |= gradient[d] != 0;
        if (batch.rows[u] == watched) memcpy(watched_gradient, gradient, sizeof watched_gradient);
    }
    memset(training.gradient.embedding, 0, CHARACTERS * DIM * sizeof(float));
    memset(training.part.linear, 0, linear_size(DIM) * sizeof(float));
    for (size_t c = 0; c < CHARACTERS; c++) {
        exactly &= got[c] == story->present[c];
        occurring += story->present[c];
    }
    const double nudge = 1e-4;
    for (size_t d = 0; d < DIM; d++)
        differences[d] = (float)((loss_by_definition(&model, &batch, watched * DIM + d, nudge) - loss_by_definition(&model, &batch, watched * DIM + d, -nudge)) / (2 * nudge));
    char name[8], label[24];
    character_name(character_of((uint8_t)watched), name);
    printf("   Backpropagation hands the gradient at the output of the look-up on to the rows that were\n"
           "   looked up. A row got one if its character occurs (%zu):\n    ", occurring);
    print_characters(got, true);
    printf("\n   and the other %zu rows got none. The gradient of the row of '%s' says how the loss changes when\n"
           "   a number of that row does. So does trying it: nudge each number by +-%g, see the loss.\n\n", CHARACTERS - occurring, name, nudge);
    print_row("gradient", watched_gradient, DIM);
    print_row("nudged", differences, DIM);

    /* one step against the gradient */
    const float rate = 0.1f;
    Optimizer optimizer = {.sgd = true, .embedding_lr = rate, .linear_lr = rate}, frozen_optimizer = optimizer;
    frozen_optimizer.freeze_embedding = true;
    printf("\n   One step of SGD: each number moves against its gradient, learning rate %.1f.\n\n", (double)rate);
    snprintf(label, sizeof label, "'%s' before", name);
    print_row(label, model.embedding + watched * DIM, DIM);
    FILE *file = story->data[0] ? data_file(story, "steps.csv") : NULL;
    if (file) fprintf(file, "step,free,frozen\n0,%.6f,%.6f\n", start, start);
    double loss[STEPS + 1] = {start}, frozen_loss[STEPS + 1] = {start};
    bool moved_against = true;
    for (int step = 1; step <= STEPS; step++) {
        train_step(&training, &optimizer, &batch);
        if (step == 1) {
            snprintf(label, sizeof label, "'%s' after", name);
            print_row(label, model.embedding + watched * DIM, DIM);
            for (size_t d = 0; d < DIM; d++) {
                double move = (double)model.embedding[watched * DIM + d] - (double)story->model.embedding[watched * DIM + d];
                moved_against &= fabs(move + (double)rate * (double)watched_gradient[d]) < 1e-6;
            }
        }
        loss[step] = present_loss(&model, &batch, NULL);
        train_step(&frozen_training, &frozen_optimizer, &batch);
        frozen_loss[step] = present_loss(&frozen, &batch, NULL);
        if (file) fprintf(file, "%d,%.6f,%.6f\n", step, loss[step], frozen_loss[step]);
    }
    if (file) data_close(file);
    if (story->data[0]) save_rows(story, &model);
    printf("\n   A hundred such steps, once for all weights and once with the embedding frozen:\n\n");
    static const int shown[] = {0, 1, 2, 5, 10, 20, 50, 100};
    const size_t columns = sizeof shown / sizeof *shown;
    printf("   step                  ");
    for (size_t i = 0; i < columns; i++) printf(" %7d", shown[i]);
    printf("\n   loss                  ");
    for (size_t i = 0; i < columns; i++) printf(" %7.4f", loss[shown[i]]);
    printf("\n   loss, embedding frozen");
    for (size_t i = 0; i < columns; i++) printf(" %7.4f", frozen_loss[shown[i]]);
    printf("\n\n");

    bool absent_still = true, frozen_still = !memcmp(frozen.embedding, story->model.embedding, CHARACTERS * DIM * sizeof(float)), present_moved = true;
    for (size_t c = 0; c < CHARACTERS; c++) {
        bool still = !memcmp(model.embedding + c * DIM, story->model.embedding + c * DIM, DIM * sizeof(float));
        if (story->present[c]) present_moved &= !still;
        else absent_still &= still;
    }
    double difference = largest_difference(watched_gradient, differences, DIM);
    check(exactly, "rows of characters that occur got a gradient, and no others");
    check(difference < 1e-6, "gradient and finite differences agree: largest difference %.0e", difference);
    check(moved_against, "one step moved the row against its gradient");
    check(loss[STEPS] < start && frozen_loss[STEPS] < start, "a hundred steps lower the loss, %.4f to %.4f (frozen: to %.4f)", start, loss[STEPS], frozen_loss[STEPS]);
    check(loss[STEPS] < frozen_loss[STEPS] && frozen_still, "it falls less with the embedding frozen, whose rows stay as they were");
    check(absent_still && present_moved, "all rows of characters that occur have moved; the %zu others have not, bit for bit", CHARACTERS - occurring);
    small_batch_free(&batch);
    training_free(&training);
    training_free(&frozen_training);
}

/* ---- 5 ---------------------------------------------------------------------------------------- */

static void embedding_and_linear(const Story *story) {
    section(5, "nn.Embedding and nn.Linear");
    /* the notebook's nn.Linear(4, 3, bias=False).weight [3, 4], its rows of x, and what it printed for the first */
    static const float weight[3][4] = {{-0.0976f, -0.2872f, -0.1632f, 0.0354f}, {0.2979f, 0.3021f, 0.4652f, 0.1204f}, {-0.3786f, 0.2526f, -0.3794f, -0.0699f}};
    static const float x[3][4] = {{1, 0, 1, 0}, {0, 0, 1, 1}, {1, 1, 1, 0}};
    static const float printed[3] = {-0.2608f, 0.7631f, -0.7580f};
    printf("   The notebook's Linear(4, 3) gets x = [1, 0, 1, 0]. The same weights, turned round, as a table\n"
           "   of 4 rows of 3: x says that rows 0 and 2 are on, and their sum is what Linear computes.\n\n");
    Model table = {.rows = 4, .dim = 3, .embedding = allocate(4 * 3, sizeof(float), "the table")};
    for (size_t i = 0; i < 4; i++)
        for (size_t o = 0; o < 3; o++) table.embedding[i * 3 + o] = weight[o][i];
    float by_linear[3][3] = {{0}}, by_rows[3][DIM];
    bool same = true;
    for (size_t n = 0; n < 3; n++) {
        uint32_t on[4];
        size_t count = 0;
        for (uint32_t i = 0; i < 4; i++)
            if (x[n][i] > 0) on[count++] = i;
        embedding_forward(&table, on, count, by_rows[n]);
        for (size_t o = 0; o < 3; o++)
            for (size_t i = 0; i < 4; i++) by_linear[n][o] += weight[o][i] * x[n][i];
        same &= !memcmp(by_linear[n], by_rows[n], sizeof by_linear[n]);
    }
    print_row("row 0", table.embedding, 3);
    print_row("row 2", table.embedding + 6, 3);
    print_row("their sum", by_rows[0], 3);
    print_row("Linear", by_linear[0], 3);
    print_row("notebook", printed, 3);
    printf("\n   Can nn.Linear replace nn.Embedding? The notebook says \"not quite\". It can: feed it one-hot\n"
           "   vectors, and output and gradient are the same. One uses Embedding for what section 3\n"
           "   measured: the same answer without multiplying by 0.\n\n"
           "   Does nn.Embedding \"consider the order of the sequence\"? Turn the string round:\n\n");

    /* the gradient of Linear's weights: dh times one-hot, summed over the string */
    Batch batch = string_batch(story);
    Training training = training_of(started_model(story));
    size_t stride = DIM;
    float *by_product = allocate(CHARACTERS * DIM, sizeof *by_product, "a gradient");
    for (size_t b = 0; b < batch.bags; b++) {
        float one_hot[CHARACTERS] = {0}, h[DIM], p[CHARACTERS], dh[DIM];
        one_hot[story->ids[b]] = 1;
        train_bag(&training, &batch, b);
        embedding_forward(&story->model, story->ids + b, 1, h);
        linear_forward(&story->model, h, p);
        cross_entropy_forward(p, batch.targets + b, 1);
        cross_entropy_backward(p, batch.targets + b, 1, batch.positions);
        linear_backward(&story->model, &training.sum, h, p, dh);
        for (size_t c = 0; c < CHARACTERS; c++)
            for (size_t d = 0; d < DIM; d++) by_product[c * DIM + d] += one_hot[c] * dh[d];
    }
    double gradient_difference = largest_difference(training.gradient.embedding, by_product, CHARACTERS * DIM);

    /* order */
    size_t length = story->length;
    uint32_t *turned = allocate(length, sizeof *turned, "the string");
    for (size_t i = 0; i < length; i++) turned[i] = story->ids[length - 1 - i];
    float *rows = allocate(length * stride, sizeof *rows, "the rows"), *turned_rows = allocate(length * stride, sizeof *rows, "the rows");
    float sum[DIM], turned_sum[DIM];
    look_up(&story->model, story->ids, length, rows);
    look_up(&story->model, turned, length, turned_rows);
    embedding_forward(&story->model, story->ids, length, sum);
    embedding_forward(&story->model, turned, length, turned_sum);
    bool same_rows = true;
    for (size_t i = 0; i < length; i++) same_rows &= !memcmp(rows + i * stride, turned_rows + (length - 1 - i) * stride, DIM * sizeof *rows);
    double sum_difference = largest_difference(sum, turned_sum, DIM), size = 0;
    for (size_t d = 0; d < DIM; d++) size = fmax(size, fabs((double)sum[d]));
    print_row("sum", sum, DIM);
    print_row("turned", turned_sum, DIM);
    printf("\n   Each character's row is the same as before, at its new place, and so the sum is the same\n"
           "   (to rounding: %.0e). Order is for what comes after the look-up.\n\n", sum_difference);

    check(largest_difference(by_linear[0], printed, 3) < 5e-5 && largest_difference(by_rows[0], printed, 3) < 5e-5, "Linear and rows 0 + 2 both give the notebook's [-0.2608, 0.7631, -0.7580]");
    check(same, "and the same bits for all three of the notebook's rows");
    check(gradient_difference < 1e-6, "Linear fed with one-hot vectors has Embedding's gradient: largest difference %.0e", gradient_difference);
    check(same_rows && sum_difference <= 1e-6 * (double)length * fmax(1, size), "turning the string round turns its rows round, changes none, and leaves their sum");
    free(table.embedding);
    free(by_product);
    free(turned);
    free(rows);
    free(turned_rows);
    small_batch_free(&batch);
    training_free(&training);
}

/* ---- 6 ---------------------------------------------------------------------------------------- */

/* The sum of the rows of a word's characters. */
static void word_sum(const Model *model, const char *word, float *h) {
    uint32_t ids[64];
    size_t length = strlen(word);
    for (size_t i = 0; i < length; i++) ids[i] = (uint32_t)id_of((unsigned char)word[i]);
    embedding_forward(model, ids, length, h);
}

/* Trains on 00 -> 0, 01 -> 1, 10 -> 1, 11 -> 0 ("do the two differ?"). Rows 0 and 1: the last character; 100 and 101: the one
   before; with pairs, rows 102..105 for both together. Returns the loss, and each p[right]. */
static double learn_difference(const Story *story, bool pairs, double *right) {
    enum { ROWS = CHARACTERS + 6, CASES = 4, ROUNDS = 500 };
    Model model = model_allocate(ROWS, DIM);
    Random random = random_seeded(story->seed);
    model_start(&model, &random, 1);
    Batch batch = small_batch(CASES, 3 * CASES);
    uint32_t on = 0;
    for (uint32_t b = 0; b < CASES; b++) {
        uint32_t before = b / 2, last = b % 2;
        batch.offsets[b] = on;
        batch.indices[on++] = last;
        batch.indices[on++] = CHARACTERS + before;
        if (pairs) batch.indices[on++] = CHARACTERS + 2 + b;
        batch.targets[b] = (uint8_t)(before != last);
    }
    batch.offsets[CASES] = on;
    list_rows(&batch, ROWS);
    Training training = training_of(model);
    Optimizer optimizer = {.sgd = true, .embedding_lr = 0.5f, .linear_lr = 0.5f};
    for (int round = 0; round < ROUNDS; round++) train_step(&training, &optimizer, &batch);
    double loss = present_loss(&model, &batch, right);
    small_batch_free(&batch);
    training_free(&training);
    return loss;
}

static void static_and_dynamic(const Story *story) {
    section(6, "Static and dynamic");
    const Model *model = &story->model;
    uint32_t word[] = {(uint32_t)id_of('c'), (uint32_t)id_of('a'), (uint32_t)id_of('t')}, other[] = {(uint32_t)id_of('b'), (uint32_t)id_of('a'), (uint32_t)id_of('d')};
    float in_cat[3 * DIM], in_bad[3 * DIM], cat[DIM], bat[DIM], first[DIM], second[DIM];
    look_up(model, word, 3, in_cat);
    look_up(model, other, 3, in_bad);
    bool one_row = !memcmp(in_cat + DIM, in_bad + DIM, DIM * sizeof(float));
    word_sum(model, "cat", cat);
    word_sum(model, "bat", bat);
    word_sum(model, "man bites dog", first);
    word_sum(model, "dog bites man", second);
    double alike = cosine(cat, bat, DIM), same = cosine(first, second, DIM);
    printf("   The embedding is static: 'a' has one row, in \"cat\" as in \"bad\". What depends on the context is\n"
           "   a sum of rows. Let it be of the rows of all characters there are:\n\n");
    print_row("c + a + t", cat, DIM);
    print_row("b + a + t", bat, DIM);
    printf("\n   cosine of \"cat\" and \"bat\"                      %9.6f   two contexts, two vectors, in part alike\n", alike);
    printf("   cosine of \"man bites dog\" and \"dog bites man\"  %9.6f   a sum of characters does not see who bites\n\n", same);
    double right[4], right_pairs[4], loss = learn_difference(story, false, right), loss_pairs = learn_difference(story, true, right_pairs);
    printf("   And rows that are only added cannot act on each other. Learn \"do the last two characters differ?\",\n"
           "   00 -> 0, 01 -> 1, 10 -> 1, 11 -> 0, with a row for each character at each place. What is added\n"
           "   for 00 and 11 is, in all, what is added for 01 and 10, so what helps two cases harms the others:\n\n");
    printf("   p[right] after 500 steps        00      01      10      11    loss (guessing: ln 2 = %.4f)\n", log(2));
    printf("   a row for each character    %6.3f  %6.3f  %6.3f  %6.3f   %.4f\n", right[0], right[1], right[2], right[3], loss);
    printf("   and one for each pair       %6.3f  %6.3f  %6.3f  %6.3f   %.4f\n\n", right_pairs[0], right_pairs[1], right_pairs[2], right_pairs[3], loss_pairs);
    printf("   A row for the pair mends it. So ./train adds to the last character's row the rows of the strings\n"
           "   that it has seen and that end there (./sample --next shows which): they know the order. For what\n"
           "   nobody has seen together, layers of attention are needed: in Sentence-BERT each token's vector is mixed\n"
           "   with those around it, weighed by how they fit, so 'bank' gets one vector by a river and another in\n"
           "   a city. Those layers, too, begin with an nn.Embedding, and order comes in as one more embedding,\n"
           "   of the place.\n\n");
    int wrong = 0, wrong_pairs = 0;
    for (int b = 0; b < 4; b++) wrong += right[b] <= 0.5, wrong_pairs += right_pairs[b] <= 0.5;
    check(one_row, "'a' has the same row in both words, bit for bit");
    check(largest_difference(cat, bat, DIM) > 0 && alike < 0.999999 && fabs(same - 1) < 1e-6, "the sums of \"cat\" and \"bat\" differ, those of \"man bites dog\" and \"dog bites man\" do not");
    check(loss >= log(2) - 1e-6 && wrong > 0 && wrong_pairs == 0 && loss_pairs < 0.1, "sums of single characters get %d of 4 cases wrong and stay above ln 2; with pairs none is wrong", wrong);
}

/* ---- the whole -------------------------------------------------------------------------------- */

int main(int argc, char **argv) {
    size_t seed = EXACT_SEED;
    Story story = {.string = "WTF does nn.Embedding do?", .data = ""};
    Option table[] = {
        {GROUP, .name = "Options"},
        {COUNT, "seed", 's', &seed, 0, UINT32_MAX, "N", "of the table's numbers, as torch.manual_seed"},
        {TEXT, "data", 0, &story.data, 0, 0, "DIR", "also write the numbers behind docs/wtf.md's pictures there: steps.csv, rows.csv"},
        {0}};
    set_program_name(argv[0]);
    parse_options(argc, argv, table, usage, examples, &story.string, 1);
    encode(&story);
    story.seed = (uint32_t)seed;
    story.model = started_model(&story);
    story.team = team_start(1);
    const char *no_color = getenv("NO_COLOR");
    colour = isatty(STDOUT_FILENO) && !(no_color && no_color[0]);

    printf(colour ? "\033[1mWTF does nn.Embedding do?\033[0m\n" : "WTF does nn.Embedding do?\n");
    printf("\n   The notebook of this name, step by step: what it says is computed here, and checked.\n");
    characters_to_ids(&story);
    the_table(&story);
    lookup_is_multiplication(&story);
    it_learns(&story);
    embedding_and_linear(&story);
    static_and_dynamic(&story);
    if (failures) printf("\n%d check%s failed.\n", failures, failures == 1 ? "" : "s");
    else printf("\nAll checks hold. ./train data/text.txt does this on a whole text.\n");

    team_end(story.team);
    model_free(&story.model);
    free(story.ids);
    if (fflush(stdout) || ferror(stdout)) fail("standard output cannot be written: %s", strerror(errno));
    return failures ? 1 : 0;
}

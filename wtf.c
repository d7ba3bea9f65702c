/* wtf.c: "WTF does nn.Embedding do?", answered by running it.

   Nine sections, in the order of the notebook of that name. Each says one thing, computes it with
   the functions of model.h that also train the real models, and ends in checks that can fail. The
   exit status is 0 only when all hold. */
#include "lib/attention.h"
#include "lib/characters.h"
#include "lib/fail.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/ranking.h"
#include "lib/text.h"
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "wtf [OPTIONS] [SECTION] [STRING]: what nn.Embedding does, computed in front of\n"
    "you and checked. It follows the notebook \"WTF does nn.Embedding do?\", in which\n"
    "PyTorch's nn.Embedding(100, 10) looks up the characters of that string.\n";
static const char examples[] = "Examples:\n"
                               "  wtf 4                    section 4 only\n"
                               "  wtf \"hello, world\"       another string\n";
static const char notebook_string[] = "WTF does nn.Embedding do?";

enum { DIM = 10, NUMBERS = 2 * CHARACTERS * DIM + CHARACTERS, PAD = 99, BATCH = 256, SHOWN = 7 };

/* nn.Embedding(100, 10) -> nn.Linear(10, 100), and what training needs. */
typedef struct {
    Training training;
    float numbers[3][NUMBERS]; /* of the model, Adagrad's sums, the gradients */
} Learner;

/* A batch in which each bag is one character; its targets are what follows it in a text. */
typedef struct {
    Batch batch;
    uint32_t offsets[CHARACTERS + 1], target_offsets[CHARACTERS + 1];
    uint32_t rows[CHARACTERS], frequency[CHARACTERS];
} Followers;

typedef struct {
    const uint8_t *ids; /* [length + 1] the string; its first character stands again at the end */
    size_t length;
    Followers string; /* all positions of the string */
    uint32_t seed;
    bool notebook; /* the notebook's string and seed 1, for which PyTorch's losses are known */
    bool colour;
    size_t failures;
    Learner learners[3];
} Story;

/* ---- what is printed -------------------------------------------------------------------------- */

/* A check in words (printf style), with its numbers. */
static void __attribute__((format(printf, 3, 4)))
check(Story *story, bool holds, const char *format, ...) {
    static const char *const words[2][2] = {{"FAILS", "\033[1;31mFAILS\033[0m"},
                                            {"holds", "\033[32mholds\033[0m"}};
    va_list arguments;
    va_start(arguments, format);
    printf("   %s  ", words[holds][story->colour]);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    story->failures += !holds;
}

typedef struct {
    char text[12];
} Name;

/* A character in a sentence: 'a', '\n', or space. */
static Name quoted(size_t id) {
    Name name, plain;
    character_name(character_of((uint8_t)id), plain.text);
    snprintf(name.text, sizeof name.text, id == 94 ? "%.8s" : "'%.8s'", plain.text);
    return name;
}

/* A row and its name: at most six of its numbers, so that a line fits 80 columns. */
static void print_row(const char *name, const float *row, size_t dim) {
    printf("   %-18s", name);
    for (size_t d = 0; d < dim && d < 6; d++) printf(" %8.4f", (double)row[d]);
    printf("%s\n", dim > 6 ? " ..." : "");
}

static double difference(const float *a, const float *b, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)a[i] - (double)b[i]));
    return largest;
}

static bool same(const float *a, const float *b, size_t n) { return !memcmp(a, b, n * sizeof *a); }

/* ---- models and batches ----------------------------------------------------------------------- */

/* The story's learner number i, at its start again. */
static Training *fresh(Story *story, size_t i, float deviation) {
    Training *t = &story->learners[i].training;
    Model *models[] = {&t->model, &t->sum, &t->gradient};
    memset(story->learners[i].numbers, 0, sizeof story->learners[i].numbers);
    for (size_t m = 0; m < 3; m++) {
        float *rows = story->learners[i].numbers[m], *linear = rows + CHARACTERS * DIM;
        *models[m] = (Model){CHARACTERS, DIM, rows, linear, linear + CHARACTERS * DIM};
    }
    Random random = random_seeded(story->seed);
    model_start(&t->model, &random, deviation);
    return t;
}

static float *row_of(const Model *model, size_t r) { return model->embedding + r * model->dim; }

/* The batch of n places of a text; places NULL: the first n. Equal characters share a bag.
   text[place + 1] follows text[place]; targets has room for n. */
static void followers(Followers *f, const uint8_t *text, const uint32_t *places, size_t n,
                      uint8_t *targets) {
    uint32_t bags = 0, used = 0;
    for (uint32_t c = 0; c < CHARACTERS; c++) {
        f->offsets[bags] = bags;
        f->target_offsets[bags] = used;
        for (size_t i = 0; i < n; i++) {
            size_t place = places ? places[i] : i;
            if (text[place] == c) targets[used++] = text[place + 1];
        }
        f->rows[bags] = c;
        f->frequency[bags] = used - f->target_offsets[bags];
        bags += f->frequency[bags] > 0;
    }
    f->offsets[bags] = bags;
    f->target_offsets[bags] = used;
    f->batch = (Batch){bags,    n,       bags,        f->offsets, f->rows, f->target_offsets,
                       targets, f->rows, f->frequency};
}

static void train(Training *training, const Optimizer *optimizer, const Batch *batch, int steps) {
    for (int step = 0; step < steps; step++) train_step(training, optimizer, batch);
}

/* A step with learning rate 0 changes nothing and returns the mean loss. */
static double mean_loss(Training *training, const Batch *batch) {
    Optimizer still = {.sgd = true};
    return train_step(training, &still, batch);
}

/* The least mean loss for a model that sees one character: p is how often a target follows it. */
static double least_loss(const Batch *batch) {
    double loss = 0;
    for (size_t b = 0; b < batch->bags; b++) {
        uint32_t from = batch->target_offsets[b], to = batch->target_offsets[b + 1];
        double count[CHARACTERS] = {0};
        for (uint32_t i = from; i < to; i++) count[batch->targets[i]]++;
        for (uint32_t i = from; i < to; i++)
            loss -= exact_log(count[batch->targets[i]] / (to - from));
    }
    return loss / (double)batch->positions;
}

/* The derivative of the loss by one number, found by trying: it goes up and down by 0.01. */
static float nudged(Training *training, const Batch *batch, float *number) {
    float kept = *number;
    *number = kept + 0.01f;
    double up = mean_loss(training, batch);
    *number = kept - 0.01f;
    double down = mean_loss(training, batch);
    *number = kept;
    return (float)((up - down) / 0.02);
}

/* ---- 1 ---------------------------------------------------------------------------------------- */

static void characters_to_ids(Story *story) {
    enum { MOST = 12 };
    const char *more = story->length > MOST ? " ..." : "";
    char name[8];
    printf("   A model calculates with numbers, not letters. Python's string.printable has\n"
           "   100 characters. A character's place in it, counted from 0, is its id:\n\n"
           "       0  0123456789\n"
           "      10  abcdefghijklmnopqrstuvwxyz\n"
           "      36  ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"
           "      62  !\"#$%%&'()*+,-./:;<=>?@[\\]^_`{|}~\n"
           "      94  space \\t \\n \\r \\x0b \\x0c\n\n"
           "   The string becomes\n\n  ");
    for (size_t i = 0; i < story->length && i < MOST; i++)
        printf(" %5s", character_name(character_of(story->ids[i]), name));
    printf("%s\n  ", more);
    for (size_t i = 0; i < story->length && i < MOST; i++) printf(" %5d", story->ids[i]);
    printf("%s\n\n   Input Tensor Shape: [1, %zu]\n\n"
           "   An id is an integer (torch.long) and only a name: 14 is not more than 13.\n"
           "   There is no row 100: PyTorch stops with \"IndexError: index out of range in\n"
           "   self\". Here a byte that is none of the 100 characters never gets an id.\n\n",
           more, story->length);
    size_t known = 0, back = 0;
    for (int byte = 0; byte < 256; byte++) {
        int id = id_of((unsigned char)byte);
        known += id >= 0;
        back += id >= 0 && id < CHARACTERS && character_of((uint8_t)id) == (char)byte;
    }
    check(story, known == 100 && back == 100, "100 of 256 bytes have an id from 0 to 99, and back");
    check(story, id_of('0') == 0 && id_of('a') == 10 && id_of('!') == 62 && id_of('\f') == 99,
          "they stand in the order of string.printable");
}

/* ---- 2 ---------------------------------------------------------------------------------------- */

static void the_table(Story *story) {
    /* row 10 after torch.manual_seed(1); torch.nn.Embedding(100, 10): PyTorch 1.13 on a CPU */
    static const float pytorch[DIM] = {1.38514566f,  -0.813846231f, -0.927576542f, 1.11196327f,
                                       1.33520567f,  0.604273617f,  -0.10344208f,  -0.151216924f,
                                       -2.10208297f, -0.620021939f};
    const Model *model = &fresh(story, 0, 1)->model;
    double sum = 0, squares = 0, n = CHARACTERS * DIM;
    for (size_t i = 0; i < CHARACTERS * DIM; i++) {
        sum += (double)model->embedding[i];
        squares += (double)model->embedding[i] * (double)model->embedding[i];
    }
    double mean = sum / n, deviation = sqrt((squares - sum * mean) / (n - 1));
    printf("   num_embeddings = 100 rows of embedding_dim = 10 numbers. The table knows\n"
           "   nothing yet: its 1,000 numbers are drawn from N(0, 1), the normal\n"
           "   distribution with mean 0 and standard deviation 1 (here: %.4f and %.4f).\n\n"
           "   Embedding a string means looking up its ids. Integers (torch.long) go in,\n"
           "   rows of floats (torch.float) come out. Nothing is calculated.\n\n"
           "   Output Tensor Shape: [1, %zu, 10]\n"
           "   Embedding for 'a' (the notebook has other numbers, for it sets no seed):\n",
           mean, deviation, story->length);
    uint32_t a = (uint32_t)id_of('a');
    float h[DIM];
    embedding_forward(model, &a, 1, h);
    printf("   tensor([[[");
    for (size_t d = 0; d < DIM - 1; d++)
        printf("%7.4f,%s", (double)h[d], d == 6 ? "\n             " : " ");
    printf("%7.4f]]], grad_fn=<EmbeddingBackward0>)\n\n", (double)h[DIM - 1]);
    printf("   grad_fn names the function that hands gradients back to the table (section\n"
           "   4). In model.h that is embedding_backward.\n\n");
    bool rows = true;
    for (size_t i = 0; i < story->length; i++) {
        uint32_t id = story->ids[i];
        embedding_forward(model, &id, 1, h);
        rows &= same(h, row_of(model, id), DIM);
    }
    check(story, fabs(mean) < 5 / sqrt(n) && fabs(deviation - 1) < 5 / sqrt(2 * n),
          "mean 0 and deviation 1, as nearly as 1,000 random numbers have them");
    check(story, rows, "what comes out for each character is its row, bit for bit");
    if (story->seed == 1)
        check(story, difference(row_of(model, a), pytorch, DIM) < 1e-6,
              "after torch.manual_seed(1), PyTorch has this row of 'a', too");
}

/* ---- 3 ---------------------------------------------------------------------------------------- */

static void lookup_is_multiplication(Story *story) {
    char number[32];
    printf("   A one-hot vector is 1 at the id and 0 everywhere else. One-hot times table is\n"
           "   the row of the id, for 99 rows are multiplied by 0 and one by 1. That is what\n"
           "   nn.Linear(100, 10) computes when its weight is the table, transposed. So a\n"
           "   look-up can be differentiated like any other product. It only does less work:\n"
           "   for this string no multiplications instead of %s.\n\n",
           grouped(story->length * CHARACTERS * DIM, number));
    Training *t = fresh(story, 0, 1);
    float weight[CHARACTERS * CHARACTERS + CHARACTERS] = {0};
    float gradient[CHARACTERS * CHARACTERS + CHARACTERS] = {0};
    Model linear = {0, CHARACTERS, NULL, weight, weight + CHARACTERS * CHARACTERS};
    Model linear_gradient = {0, CHARACTERS, NULL, gradient, gradient + CHARACTERS * CHARACTERS};
    for (size_t i = 0; i < CHARACTERS * DIM; i++)
        weight[i % DIM * CHARACTERS + i / DIM] = t->model.embedding[i];

    bool equal = true, equal_gradients = true;
    for (size_t i = 0; i < story->length; i++) {
        uint32_t id = story->ids[i];
        float x[CHARACTERS] = {0}, dx[CHARACTERS], out[CHARACTERS], row[DIM];
        float dout[CHARACTERS] = {1, -2, 3, -4, 5, -6, 7, -8, 9, -10}; /* any gradient will do */
        x[id] = 1;
        linear_forward(&linear, x, out);
        embedding_forward(&t->model, &id, 1, row);
        equal &= same(out, row, DIM);
        linear_backward(&linear, &linear_gradient, x, dout, dx);
        embedding_backward(&t->gradient, &id, 1, dout);
    }
    for (size_t i = 0; i < CHARACTERS * DIM; i++)
        equal_gradients &= gradient[i % DIM * CHARACTERS + i / DIM] == t->gradient.embedding[i];
    check(story, equal, "nn.Linear fed with one-hot gives the rows of the look-up, bit for bit");
    check(story, equal_gradients, "and both tables get the same gradients, bit for bit");
}

/* ---- 4 ---------------------------------------------------------------------------------------- */

/* p [100] for a row, and the gradient [10] of that row, by the formula: W^T (p - onehot) / n. */
static void by_hand(const Model *model, const float *h, size_t target, size_t n, float *p,
                    float *gradient) {
    linear_forward(model, h, p);
    softmax(p);
    for (size_t d = 0; d < DIM; d++) {
        double sum = 0;
        for (size_t c = 0; c < CHARACTERS; c++)
            sum += (double)(p[c] - (c == target)) * (double)model->linear[c * DIM + d];
        gradient[d] = (float)(sum / (double)n);
    }
}

/* A character that stands at three places of the string, or at two, or its first one. */
static uint32_t repeated(const Story *story) {
    for (uint32_t times = 3; times >= 2; times--)
        for (size_t b = 0; b < story->string.batch.bags; b++)
            if (story->string.frequency[b] == times) return story->string.rows[b];
    return story->ids[0];
}

/* The gradient of each place of character c, their sum, and what model.h gives its row. */
static void row_gradient(Story *story, size_t c) {
    const Batch *batch = &story->string.batch;
    Training *t = fresh(story, 0, 1);
    float sum[DIM] = {0}, trial[DIM], one[DIM], p[CHARACTERS], *h = row_of(&t->model, c);
    size_t places = 0;
    for (size_t i = 0; i < story->length; i++) {
        char label[40];
        if (story->ids[i] != c) continue;
        by_hand(&t->model, h, story->ids[i + 1], story->length, p, one);
        for (size_t d = 0; d < DIM; d++) sum[d] += one[d];
        snprintf(label, sizeof label, "%s -> %s", quoted(c).text, quoted(story->ids[i + 1]).text);
        if (places++ < 3) print_row(label, one, DIM);
    }
    if (places > 3) printf("   and %zu more\n", places - 3);
    if (places > 1) print_row("their sum", sum, DIM);
    for (size_t d = 0; d < DIM; d++) trial[d] = nudged(t, batch, h + d);
    for (size_t b = 0; b < batch->bags; b++) train_bag(t, batch, b);
    print_row("model.h", row_of(&t->gradient, c), DIM);
    print_row("nudged", trial, DIM);
    printf("\n");
    check(story, difference(sum, row_of(&t->gradient, c), DIM) < 1e-6,
          "model.h gives the row of %s this gradient", quoted(c).text);
    check(story, difference(sum, trial, DIM) < 2e-5, "and nudging finds it");
}

static void one_position(Story *story) {
    const Model *model = &fresh(story, 0, 1)->model;
    size_t c = story->ids[0], target = story->ids[1], likeliest = 0;
    float p[CHARACTERS], unused[DIM];
    by_hand(model, row_of(model, c), target, 1, p, unused);
    for (size_t i = 0; i < CHARACTERS; i++) likeliest = p[i] > p[likeliest] ? i : likeliest;
    Name next = quoted(target);
    printf("   Each character is to predict the next one, and the last one the first. The\n"
           "   row of %s is h. nn.Linear makes 100 logits of it, one for each character\n"
           "   that may come next: logit[c] = weight[c] . h + bias[c]. Softmax makes\n"
           "   probabilities of them: p[c] = e^logit[c] / (the sum of all 100 e^logit).\n\n",
           quoted(c).text);
    print_row("h", row_of(model, c), DIM);
    printf("\n   The likeliest is %s, p = %.4f. But %s follows, p = %.4f.\n"
           "   loss = -ln p[%s] = %.4f nats; blind guessing has ln 100 = %.4f.\n\n"
           "   A gradient says how the loss changes when a number changes. For the logits\n"
           "   it is p - onehot: %.4f - 1 = %.4f at %s, and p elsewhere. For h it is\n"
           "   W^T (p - onehot), where W is the weight of nn.Linear. The loss is the mean\n"
           "   over %zu positions, so gradients are divided by %zu. The backpropagation of\n"
           "   model.h finds the same. So does trying: nudge a number of the row up and\n"
           "   down by 0.01, and see how the loss changes.\n\n",
           quoted(likeliest).text, (double)p[likeliest], next.text, (double)p[target], next.text,
           -log((double)p[target]), log(100), (double)p[target], (double)p[target] - 1, next.text,
           story->length, story->length);
    row_gradient(story, c);
    if (repeated(story) == c) return;
    printf("\n   The row of %s gets the sum of the gradients of all its places:\n\n",
           quoted(repeated(story)).text);
    row_gradient(story, repeated(story));
}

/* ---- 5 ---------------------------------------------------------------------------------------- */

/* One step of SGD, all 2,100 numbers of it. */
static void one_step(Story *story, const Optimizer *sgd) {
    const Batch *batch = &story->string.batch;
    Training *before = fresh(story, 0, 1), *after = fresh(story, 1, 1);
    for (size_t b = 0; b < batch->bags; b++) train_bag(before, batch, b);
    train(after, sgd, batch, 1);
    const float *old = before->model.embedding, *new = after->model.embedding;
    const float *gradient = before->gradient.embedding;
    size_t row = story->ids[0] * (size_t)DIM, moved = 0;
    double error = 0;
    for (size_t i = 0; i < NUMBERS; i++)
        error = fmax(error, fabs((double)(new[i] - old[i] + 0.1f * gradient[i])));
    for (size_t i = 0; i < CHARACTERS * DIM; i += DIM) moved += !same(old + i, new + i, DIM);
    printf("   One step of SGD moves each number against its gradient, by 0.1 times as much.\n"
           "   The row of %s:\n\n",
           quoted(story->ids[0]).text);
    print_row("before", old + row, DIM);
    print_row("gradient", gradient + row, DIM);
    print_row("after", new + row, DIM);
    printf("\n   %zu rows were looked up. The other %zu got no gradient and did not move by one\n"
           "   bit. nn.Linear, which all positions share, learns in the same way.\n\n",
           batch->bags, CHARACTERS - batch->bags);
    check(story, moved == batch->bags, "%zu rows moved, as many as were looked up", moved);
    check(story, error < 1e-6, "all 2,100 numbers moved by -0.1 times their gradient");
}

/* Trains for 1,000 steps, prints the losses on the way, and returns the last. *error becomes the
   difference to PyTorch's, if that is larger. */
static double print_losses(const char *name, Training *training, const Optimizer *optimizer,
                           const Batch *batch, const double *pytorch, double *error) {
    static const int steps[SHOWN] = {1, 9, 10, 30, 50, 900, 0};
    double loss = 0;
    printf("   %-18s", name);
    for (size_t i = 0; i < SHOWN; i++) {
        loss = mean_loss(training, batch);
        *error = fmax(*error, fabs(loss - pytorch[i]));
        train(training, optimizer, batch, steps[i]);
        printf(" %7.4f", loss);
    }
    printf("\n");
    return loss;
}

/* What follows a character: how often it does in the string, and how likely it is by the model. */
static void print_followers(const Model *model, const Story *story, uint32_t c) {
    float p[CHARACTERS];
    double count[CHARACTERS] = {0}, places = 0;
    for (size_t i = 0; i < story->length; i++) {
        count[story->ids[i + 1]] += story->ids[i] == c;
        places += story->ids[i] == c;
    }
    linear_forward(model, row_of(model, c), p);
    softmax(p);
    for (size_t next = 0, shown = 0; next < CHARACTERS && shown < 3; next++) {
        if (count[next] == 0) continue;
        printf("   %s after %s: counted %.4f, learned p = %.4f\n", quoted(next).text,
               quoted(c).text, count[next] / places, (double)p[next]);
        shown++;
    }
}

static void it_learns(Story *story) {
    /* the losses below by PyTorch, as tests/slow/wtf.py prints them */
    static const double pytorch[2][SHOWN] = {
        {4.85296, 4.77951, 4.17100, 3.64609, 2.53817, 1.52507, 0.50180},
        {4.85296, 4.78103, 4.18496, 3.67359, 2.61121, 1.67360, 0.57007}};
    const Batch *batch = &story->string.batch;
    Optimizer sgd = {.sgd = true, .embedding_lr = 0.1f, .linear_lr = 0.1f}, freeze = sgd;
    freeze.freeze_embedding = true;
    one_step(story, &sgd);
    Training *learns = fresh(story, 0, 1), *frozen = fresh(story, 1, 1);
    double start = mean_loss(learns, batch), least = least_loss(batch), error = 0;
    printf("\n   A thousand such steps, and again with frozen rows: only nn.Linear learns.\n\n"
           "   steps                    0       1      10      20      50     100    1000\n");
    double loss = print_losses("loss", learns, &sgd, batch, pytorch[0], &error);
    double slow = print_losses("loss, rows frozen", frozen, &freeze, batch, pytorch[1], &error);
    printf("\n   Where does it end? Not below %.4f: that is the loss of the table of pairs,\n"
           "   which says how often each character follows each other one (an entropy). The\n"
           "   table could be counted. Embedding and Linear learn it:\n\n",
           least);
    print_followers(&learns->model, story, repeated(story));
    printf("\n   For Embedding -> Linear is one 100 x 100 table of logits, kept as 100 x 10\n"
           "   times 10 x 100. All rows go through the same 10 x 100, so characters with\n"
           "   similar followers need similar rows (section 8).\n\n");
    check(story, loss < start && loss >= least,
          "1,000 steps lower the loss from %.4f to %.4f, not below %.4f", start, loss, least);
    check(story, same(frozen->model.embedding, fresh(story, 2, 1)->model.embedding, 1000),
          "frozen rows stay, bit for bit");
    check(story, loss < slow, "and the loss falls less with them");
    if (story->notebook) check(story, error < 1e-4, "PyTorch has these 14 losses, too");
}

/* ---- 6 ---------------------------------------------------------------------------------------- */

/* Ten steps in which "cat", with id 99 or without it, is to predict 's'. The first `learning` of
   the n rows of its bag learn. */
static const Model *train_cat(Story *story, size_t learner, uint32_t n, size_t learning) {
    uint32_t rows[] = {(uint32_t)id_of('c'), (uint32_t)id_of('a'), (uint32_t)id_of('t'), PAD};
    uint32_t offsets[] = {0, n}, target_offsets[] = {0, 1}, frequency[] = {1, 1, 1, 1};
    uint8_t next = (uint8_t)id_of('s');
    Batch batch = {1, 1, learning, offsets, rows, target_offsets, &next, rows, frequency};
    Optimizer sgd = {.sgd = true, .embedding_lr = 0.1f, .linear_lr = 0.1f};
    Training *training = fresh(story, learner, 1);
    memset(row_of(&training->model, PAD), 0, DIM * sizeof(float));
    train(training, &sgd, &batch, 10);
    return &training->model;
}

static void padding(Story *story) {
    const Model *cat = train_cat(story, 0, 3, 3), *padded = train_cat(story, 1, 4, 3);
    const Model *without = train_cat(story, 2, 4, 4);
    printf("   padding_idx=99: all strings of a tensor need one length, so short ones are\n"
           "   filled up with id 99. Its row starts at zero and gets no gradient, so it adds\n"
           "   nothing. Row 99 after 10 steps in which \"cat\" and id 99 predict 's':\n\n");
    print_row("padding_idx=99", row_of(padded, PAD), DIM);
    print_row("padding_idx=None", row_of(without, PAD), DIM);
    printf("\n");
    check(story, same(cat->embedding, padded->embedding, NUMBERS),
          "with padding_idx \"cat\" learns the same, padded or not, bit for bit");
    check(story, !same(row_of(cat, PAD), row_of(without, PAD), DIM), "without it row 99 learns");
}

static void max_norm(Story *story) {
    static const double types[] = {2, 1, INFINITY};
    static const char *const names[] = {"norm_type=2", "norm_type=1", "norm_type=inf"};
    const float *old = row_of(&fresh(story, 0, 1)->model, story->ids[0]);
    double error = 0;
    printf("\n   max_norm=1: a row longer than 1 is shortened to 1 when it is looked up.\n"
           "   norm_type says what length is: the root of the sum of the squares (2), the\n"
           "   sum of the absolute values (1), the largest of them (inf). For %s:\n\n",
           quoted(story->ids[0]).text);
    print_row("max_norm=None", old, DIM);
    for (size_t i = 0; i < 3; i++) {
        Optimizer shorten = {.sgd = true, .max_norm = 1, .norm_type = types[i]};
        Training *training = fresh(story, 1, 1);
        train(training, &shorten, &story->string.batch, 1);
        const float *row = row_of(&training->model, story->ids[0]);
        double expected = fmin(1, exact_norm(old, DIM, types[i]));
        error = fmax(error, fabs(exact_norm(row, DIM, types[i]) - expected));
        print_row(names[i], row, DIM);
    }
    printf("\n");
    check(story, error < 1e-5, "each is at most 1 long, by its norm_type");
}

static void every_argument(Story *story) {
    const Batch *batch = &story->string.batch;
    printf("   nn.Embedding(num_embeddings, embedding_dim, padding_idx=None, max_norm=None,\n"
           "                norm_type=2.0, scale_grad_by_freq=False, sparse=False)\n\n");
    padding(story);
    max_norm(story);
    Optimizer sgd = {.sgd = true, .embedding_lr = 0.1f}, scale = sgd;
    scale.scale_grad_by_freq = true;
    Training *learns = fresh(story, 0, 1), *scaled = fresh(story, 1, 1);
    const Model *start = &fresh(story, 2, 1)->model;
    train(learns, &sgd, batch, 1);
    train(scaled, &scale, batch, 1);
    float error = 0;
    for (size_t b = 0; b < batch->bags; b++) {
        float from = *row_of(start, batch->rows[b]);
        float step = *row_of(&learns->model, batch->rows[b]) - from;
        float scaled_step = *row_of(&scaled->model, batch->rows[b]) - from;
        error = fmaxf(error, fabsf(step / (float)batch->frequency[b] - scaled_step));
    }
    printf("\n   scale_grad_by_freq: a row's gradient is divided by how often its id occurs in\n"
           "   the batch. sparse: only the rows that were looked up have a gradient, here %zu\n"
           "   of 100; model.h always does so. (device and dtype say where the numbers are\n"
           "   kept, and in which format.)\n\n"
           "   nn.Embedding.from_pretrained(rows) starts with given rows and freezes them,\n"
           "   as in section 5: freeze=True is its default. ./train --pretrained does not.\n\n",
           batch->bags);
    check(story, error < 1e-6f, "scale_grad_by_freq divides each row's step by its frequency");
}

/* ---- 7 ---------------------------------------------------------------------------------------- */

/* The notebook's nn.Linear(4, 3, bias=False).weight [3, 4], and the same numbers as a table. */
static void the_notebooks_linear(Story *story) {
    static const float printed[3] = {-0.2608f, 0.7631f, -0.7580f};
    float weight[CHARACTERS * 4 + CHARACTERS] = {-0.0976f, -0.2872f, -0.1632f, 0.0354f,
                                                 0.2979f,  0.3021f,  0.4652f,  0.1204f,
                                                 -0.3786f, 0.2526f,  -0.3794f, -0.0699f};
    float rows[5 * 3], x[4] = {1, 0, 1, 0}, out[CHARACTERS], changed[CHARACTERS], sum[3];
    Model linear = {0, 4, NULL, weight, weight + CHARACTERS * 4}, table = {5, 3, rows, NULL, NULL};
    for (size_t i = 0; i < 12; i++) rows[i] = weight[i % 3 * 4 + i / 3];
    linear_forward(&linear, x, out);
    embedding_forward(&table, (uint32_t[]){0, 2}, 2, sum);
    printf("   The notebook's nn.Linear(4, 3) gets x = [1, 0, 1, 0]. Its weight, transposed,\n"
           "   is a table of 4 rows of 3, and x says: rows 0 and 2 are looked up and added.\n\n");
    print_row("row 0", rows, 3);
    print_row("row 2", rows + 6, 3);
    print_row("their sum", sum, 3);
    print_row("Linear", out, 3);
    print_row("the notebook", printed, 3);
    printf("\n   The notebook's last tensor has no grad_fn, for from_pretrained froze the\n"
           "   table. It has bias=False. With a bias, nn.Linear adds three more numbers to\n"
           "   each output: they are like a row that is always looked up.\n\n"
           "   Does nn.Linear \"focus on individual features\"? No: each output is a sum over\n"
           "   all inputs. It is nn.Embedding that takes each id by itself.\n\n");
    check(story, same(out, sum, 3) && difference(out, printed, 3) < 5e-5,
          "Linear and the sum of two rows are the notebook's numbers");
    for (size_t o = 0; o < 3; o++) linear.bias[o] = rows[12 + o] = (float)(o + 1);
    linear_forward(&linear, x, out);
    embedding_forward(&table, (uint32_t[]){4, 0, 2}, 3, sum);
    x[2] = 0;
    linear_forward(&linear, x, changed);
    check(story, same(out, sum, 3), "a bias does what a row does that is always looked up");
    check(story, out[0] != changed[0] && out[1] != changed[1] && out[2] != changed[2],
          "change one input of nn.Linear, and every output changes");
}

static void embedding_and_linear(Story *story) {
    the_notebooks_linear(story);
    const Model *model = &fresh(story, 0, 1)->model;
    uint32_t *ids = allocate(2 * story->length, sizeof *ids, "the string");
    for (size_t i = 0; i < story->length; i++)
        ids[i] = ids[2 * story->length - 1 - i] = story->ids[i];
    float sum[DIM], reversed[DIM], low = 0, high = 0, bound = 1 / sqrtf(DIM);
    embedding_forward(model, ids, story->length, sum);
    embedding_forward(model, ids + story->length, story->length, reversed);
    free(ids);
    for (size_t i = 0; i < linear_size(DIM); i++) {
        low = fminf(low, model->linear[i]);
        high = fmaxf(high, model->linear[i]);
    }
    printf("\n   Does nn.Embedding \"consider the context and order of the sequence\"? No: a\n"
           "   character gets its row wherever it stands. The string and its reverse have\n"
           "   the same rows, and so the same sum and the same mean:\n\n");
    for (size_t d = 0; d < DIM; d++) {
        sum[d] /= (float)story->length;
        reversed[d] /= (float)story->length;
    }
    print_row("mean", sum, DIM);
    print_row("mean, reversed", reversed, DIM);
    printf("\n   Can nn.Linear replace nn.Embedding? \"Not quite\", says the notebook. But it\n"
           "   can: fed with one-hot vectors, it has the same rows and gradients (section\n"
           "   3). One real difference is left, the start. nn.Embedding starts from N(0,\n"
           "   1), nn.Linear with n inputs from U(-1/sqrt n, 1/sqrt n): all numbers between\n"
           "   these two are equally likely. Our nn.Linear(10, 100) starts with %.4f to\n"
           "   %.4f.\n\n",
           (double)low, (double)high);
    check(story, difference(sum, reversed, DIM) < 1e-5,
          "the order of the characters does not change the mean of their rows");
    check(story, low >= -bound && high <= bound && fminf(-low, high) > 0.95f * bound,
          "nn.Linear(10, 100) starts within 1/sqrt 10 = %.4f of 0", (double)bound);
}

/* ---- 8 ---------------------------------------------------------------------------------------- */

/* The four rows nearest to that of c by cosine, among the candidates. */
static void print_nearest(const Model *model, size_t c, const bool *candidate) {
    Scored near[CHARACTERS];
    size_t found = 0;
    for (uint32_t i = 0; i < CHARACTERS; i++)
        if (candidate[i] && i != c)
            near[found++] = (Scored){cosine(row_of(model, c), row_of(model, i), DIM), i};
    sort_scored(near, found);
    for (size_t k = 0; k < 4; k++) printf(" %6s", quoted(near[k].row).text);
}

/* The mean cosine of two vowels. */
static double vowels_alike(const Model *model) {
    double sum = 0;
    for (const char *a = "aeiou"; *a; a++)
        for (const char *b = "aeiou"; *b; b++)
            sum += cosine(row_of(model, (size_t)id_of((unsigned char)*a)),
                          row_of(model, (size_t)id_of((unsigned char)*b)), DIM);
    return (sum - 5) / 20;
}

/* Two epochs of ./train --order 1 --dim 10, but each batch takes its places at random. */
static void train_on_text(Training *training, const uint8_t *text, size_t length, bool freeze) {
    Random random = random_seeded(0);
    Followers f;
    uint32_t places[BATCH];
    uint8_t targets[BATCH];
    size_t steps = 2 * length / BATCH;
    for (size_t step = 0; step < steps; step++) {
        float left = 1 - 0.9f * (float)step / (float)steps;
        Optimizer adagrad = {.embedding_lr = 0.1f * left, .linear_lr = 0.03f * left};
        adagrad.freeze_embedding = freeze;
        for (size_t i = 0; i < BATCH; i++) places[i] = random_bits(&random) % (uint32_t)length;
        followers(&f, text, places, BATCH, targets);
        train_step(training, &adagrad, &f.batch);
    }
}

static void a_whole_text(Story *story) {
    static const char path[] = "data/text.txt", shown[] = "at., ";
    if (access(path, R_OK)) {
        printf("   %s is not here: run ./wtf in the project's folder to see this section.\n", path);
        return;
    }
    Text text = text_read(path, false);
    size_t learned = text.length - text.length / 10;
    Training *start = fresh(story, 0, 1), *learns = fresh(story, 1, 1);
    Training *frozen = fresh(story, 2, 1);
    train_on_text(learns, text.ids, learned, false);
    train_on_text(frozen, text.ids, learned, true);
    Followers part, val;
    uint8_t *targets = allocate(learned, 1, "the text");
    bool frequent[CHARACTERS] = {false};
    char number[32];
    followers(&part, text.ids, NULL, learned, targets);
    double least = least_loss(&part.batch);
    for (size_t b = 0; b < part.batch.bags; b++)
        frequent[part.rows[b]] = part.frequency[b] > learned / 500;
    followers(&val, text.ids + learned, NULL, text.length - learned - 1, targets);
    float w = 0, square_sum = 0, gradient = 3;
    Optimizer adagrad = {0};
    update(&adagrad, 0.1f, 1, &gradient, &square_sum, &w);
    float first = w;
    update(&adagrad, 0.1f, 1, &gradient, &square_sum, &w);
    double loss = mean_loss(learns, &val.batch);
    double frozen_loss = mean_loss(frozen, &val.batch);
    printf("   The same model learns from %s, %s characters, in two epochs\n"
           "   (passes). The last tenth is kept for validation: nothing is learned from it,\n"
           "   it measures what has been learned. The optimizer is Adagrad: it divides each\n"
           "   gradient by the root of the sum of the squares of all gradients so far, this\n"
           "   one included. With learning rate 0.1, two equal gradients move a number by\n"
           "   %.4f and %.4f.\n\n"
           "   loss, rows frozen     %.2f nats a character\n"
           "   loss, rows learn      %.2f\n"
           "   the table of pairs    %.2f (its loss on the part that it was counted in)\n\n"
           "   nearest rows   before                         after\n",
           path, grouped(text.length, number), (double)-first, (double)(first - w), frozen_loss,
           loss, least);
    for (const char *c = shown; *c; c++) {
        size_t id = (size_t)id_of((unsigned char)*c);
        printf("   %-11s", quoted(id).text);
        print_nearest(&start->model, id, frequent);
        printf("   ");
        print_nearest(&learns->model, id, frequent);
        printf("\n");
    }
    double before = vowels_alike(&start->model), after = vowels_alike(&learns->model);
    printf("\n   Nobody said what a vowel is. But similar characters follow vowels, so the\n"
           "   rows of vowels have come together. That is what an embedding is good for.\n\n");
    check(story, fabs(-first - 0.1) + fabs(first - w - 0.1 / sqrt(2)) < 1e-6,
          "the second of two equal gradients counts 1 / sqrt 2");
    check(story, loss < 2.6 && frozen_loss > loss + 0.3, "rows that learn lower the loss further");
    check(story, after > 0.3 && after > before + 0.2,
          "the mean cosine of two vowels was %.2f and is %.2f", before, after);
    free(targets);
    free(text.ids);
}

/* ---- 9 ---------------------------------------------------------------------------------------- */

typedef struct {
    const char *one, *other;
    float label; /* 1: they mean the same, 0: they do not */
} Pair;

enum { PAIRS = 12, ALL_PAIRS = 14 }; /* the last two are not learned from */
static const Pair pairs[ALL_PAIRS] = {
    {"man bites dog", "dog is bitten by man", 1},
    {"dog bites man", "man is bitten by dog", 1},
    {"cat bites dog", "dog is bitten by cat", 1},
    {"dog bites cat", "cat is bitten by dog", 1},
    {"bank by the river", "shore by the water", 1},
    {"bank in the city", "office with the money", 1},
    {"man bites dog", "dog bites man", 0},
    {"cat bites dog", "dog bites cat", 0},
    {"man bites dog", "man is bitten by dog", 0},
    {"cat bites dog", "cat is bitten by dog", 0},
    {"bank by the river", "bank in the city", 0},
    {"shore by the water", "office with the money", 0},
    {"bank by the water", "shore by the river", 1},
    {"bank in the city", "shore by the river", 0},

};

/* The rows of the words; the last MAX_TOKENS rows are those of the places. */
static const char *const words[] = {"man", "bites", "dog",    "is",    "bitten", "by",
                                    "cat", "bank",  "the",    "river", "shore",  "water",
                                    "in",  "city",  "office", "with",  "money"};

static Sentence tokens(const char *text) {
    Sentence s = {0};
    for (; *text; s.n++) {
        size_t length = strcspn(text, " ");
        uint32_t row = 0;
        while (strlen(words[row]) != length || memcmp(words[row], text, length)) row++;
        s.bags[s.n][0] = row;
        s.bags[s.n][1] = (uint32_t)(CHARACTERS - MAX_TOKENS + s.n);
        text += length;
        text += *text == ' ';
    }
    return s;
}

/* The cosines [ALL_PAIRS]; adds the gradients of those that are learned from, and returns their
   mean loss. */
static double pairs_pass(const Model *model, Model *gradient, float *cosines) {
    double loss = 0;
    for (size_t i = 0; i < ALL_PAIRS; i++) {
        Sentence one = tokens(pairs[i].one), other = tokens(pairs[i].other);
        float done[HEAD], dother[HEAD];
        attention_forward(model, &one);
        attention_forward(model, &other);
        cosines[i] = (float)cosine(one.mean, other.mean, HEAD);
        float error = cosines[i] - pairs[i].label;
        if (i >= PAIRS) continue;
        loss += (double)(error * error) / PAIRS;
        cosine_backward(one.mean, other.mean, HEAD, 2 * error / PAIRS, done, dother);
        attention_backward(model, gradient, &one, done);
        attention_backward(model, gradient, &other, dother);
    }
    return loss;
}

/* Backpropagation against nudging, for a number of the row of 'bank': the difference. */
static double attention_error(Training *t, Model *unused) {
    float cosines[ALL_PAIRS], *weight = row_of(&t->model, 7), kept = *weight;
    pairs_pass(&t->model, &t->gradient, cosines);
    *weight = kept + 0.01f;
    double up = pairs_pass(&t->model, unused, cosines);
    *weight = kept - 0.01f;
    double down = pairs_pass(&t->model, unused, cosines);
    *weight = kept;
    return fabs((up - down) / 0.02 - (double)*row_of(&t->gradient, 7));
}

static Sentence print_shares(const Model *model, const char *text) {
    Sentence s = tokens(text);
    attention_forward(model, &s);
    printf("   %-18s", text);
    for (size_t j = 0; j < s.n; j++) printf(" %6s %.2f", words[s.bags[j][0]], (double)s.a[0][j]);
    printf("\n");
    return s;
}

static void sentence_bert(Story *story) {
    Training *t = fresh(story, 0, 0.1f);
    Optimizer adagrad = {0};
    float before[ALL_PAIRS], after[ALL_PAIRS];
    double error = attention_error(fresh(story, 1, 1), &fresh(story, 2, 1)->gradient);
    pairs_pass(&t->model, &t->gradient, before);
    for (int step = 0; step < 200; step++) {
        memset(t->gradient.embedding, 0, NUMBERS * sizeof(float));
        pairs_pass(&t->model, &t->gradient, after);
        update(&adagrad, 0.05f, NUMBERS, t->gradient.embedding, t->sum.embedding,
               t->model.embedding);
    }
    pairs_pass(&t->model, &t->gradient, after);
    printf("   nn.Embedding is static: 'bank' has one row, by a river and in a city. In\n"
           "   Sentence-BERT the vector of a token (here, a word) is dynamic: it depends on\n"
           "   the tokens around it. Sentence-BERT has 12 layers of 12 heads; here is one:\n\n"
           "   x = the row of the word + the row of its place in the sentence. nn.Linear\n"
           "   makes a query, a key and a value of each x. Attention: token i takes a share\n"
           "   of the value of each token j, softmax over j of (query of i) . (key of j) /\n"
           "   sqrt 10. Now its vector is y = x + all that it took. The mean of all y is\n"
           "   the vector of the sentence: that is the S.\n\n"
           "   It learns from pairs. Both sentences go through the same weights, and the\n"
           "   loss is (cosine - label)^2: label 1 for the same meaning, 0 for another one.\n"
           "   The cosines before and after 200 steps (nothing was learned from the new\n"
           "   pairs):\n\n"
           "   %67s\n",
           "label  before   after");
    float least[2] = {2, 2}, most[2] = {-2, -2};
    for (size_t i = 0; i < ALL_PAIRS; i++) {
        bool is_new = i >= PAIRS;
        printf("   %-20s  %-24s  %4.0f %7.2f %7.2f%s\n", pairs[i].one, pairs[i].other,
               (double)pairs[i].label, (double)before[i], (double)after[i], is_new ? "  new" : "");
        if (pairs[i].label == 1) least[is_new] = fminf(least[is_new], after[i]);
        if (pairs[i].label == 0) most[is_new] = fmaxf(most[is_new], after[i]);
    }
    printf("\n   \"man bites dog\" and \"dog bites man\" have the same words and places: the same\n"
           "   sum of rows (section 7). Without attention their cosine would stay 1.\n"
           "   (Twelve pairs teach only these words. Sentence-BERT learned from a million\n"
           "   pairs.)\n\n"
           "   'bank' takes these shares, and its one x becomes two y:\n\n");
    Sentence river = print_shares(&t->model, "bank by the river");
    Sentence city = print_shares(&t->model, "bank in the city");
    printf("\n");
    print_row("x by the river", river.x[0], DIM);
    print_row("x in the city", city.x[0], DIM);
    print_row("y by the river", river.y[0], DIM);
    print_row("y in the city", city.y[0], DIM);
    printf("\n");
    check(story, error < 1e-5, "the gradient of a number before attention agrees with nudging");
    check(story, least[0] > 0.9f && most[0] < 0.1f,
          "same meaning: cosines from %.2f up; another one: up to %.2f", (double)least[0],
          (double)most[0]);
    check(story, least[1] > most[1], "new pairs: same meaning from %.2f up, another one %.2f",
          (double)least[1], (double)most[1]);
    check(story, same(river.x[0], city.x[0], DIM), "'bank' has the same x in both sentences");
    check(story, difference(river.y[0], city.y[0], DIM) > 0.01, "and two different y");
}

/* ---- the whole -------------------------------------------------------------------------------- */

static const struct {
    const char *title;
    void (*run)(Story *story);
} sections[] = {{"Characters become integers", characters_to_ids},
                {"nn.Embedding(100, 10) is a table of 100 rows", the_table},
                {"Looking up is multiplying", lookup_is_multiplication},
                {"One position, by hand", one_position},
                {"It learns", it_learns},
                {"Every argument of nn.Embedding", every_argument},
                {"nn.Embedding and nn.Linear", embedding_and_linear},
                {"What it is good for", a_whole_text},
                {"Sentence-BERT, computed", sentence_bert}};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* The section that a word names, 1 to 9; 0 when it is none. */
static size_t section_named(const char *word) {
    bool digit = word[0] >= '1' && word[0] < '1' + SECTIONS;
    return digit && !word[1] ? (size_t)(word[0] - '0') : 0;
}

/* The ids [length + 1] of an argument; the first one stands again at the end. */
static uint8_t *read_string(const char *argument, size_t *length) {
    char *text = text_argument("the string", argument);
    *length = strlen(text);
    if (*length == 0) wrong_use("the string is empty: give at least one character, such as a");
    uint8_t *ids = allocate(*length + 1, 1, "the string");
    for (size_t i = 0; i < *length; i++) ids[i] = (uint8_t)id_of((unsigned char)text[i]);
    ids[*length] = ids[0];
    free(text);
    return ids;
}

int main(int argc, char **argv) {
    static Story story;
    size_t seed = 1, only = 0;
    bool pause = false;
    const char *operands[2], *string = notebook_string;
    Option table[] = {{GROUP, .name = "Options"},
                      {COUNT, "seed", 's', &seed, 0, UINT32_MAX, "N",
                       "of the table's numbers, as torch.manual_seed"},
                      {FLAG, "pause", 'p', &pause, .help = "wait for Enter between the sections"},
                      {0}};
    set_program_name(argv[0]);
    size_t count = parse_options(argc, argv, table, usage, examples, operands, 2);
    if (count > 0) only = section_named(operands[0]);
    if (count == 2 && only == 0)
        wrong_use("\"%s\" is not a section: give a number from 1 to %d", operands[0], SECTIONS);
    if (count == 2 || (count == 1 && only == 0)) string = operands[count - 1];

    uint8_t *ids = read_string(string, &story.length);
    story.ids = ids;
    story.seed = (uint32_t)seed;
    story.notebook = seed == 1 && !strcmp(string, notebook_string);
    const char *no_color = getenv("NO_COLOR");
    story.colour = isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
    uint8_t *targets = allocate(story.length, 1, "the string");
    followers(&story.string, story.ids, NULL, story.length, targets);
    if (!only)
        printf("%s\n\n   A notebook of this name explains PyTorch's nn.Embedding. Here its "
               "statements\n"
               "   are computed one by one, and checked.\n",
               notebook_string);
    for (size_t i = 1; i <= SECTIONS; i++) {
        if (only && i != only) continue;
        const char *title = sections[i - 1].title;
        printf(story.colour ? "\n\033[1;36m%zu  %s\033[0m\n\n" : "\n%zu  %s\n\n", i, title);
        sections[i - 1].run(&story);

        if (!pause || only || i == SECTIONS) continue;
        printf("\n   Press Enter to go on.");
        fflush(stdout);
        for (int c = 0; c != EOF && c != '\n';) c = getchar();
    }
    if (story.failures > 0)
        printf("\n%zu of the checks failed.\n", story.failures);
    else
        printf("\nAll checks hold.%s\n",
               only ? "" : " ./train data/text.txt does this on a whole text.");
    flush_output();
    free(targets);
    free(ids);
    return story.failures > 0;
}

/* From a context to the next character: what each row adds and what is likely, by definition; what
   is drawn, and where rounding leaves a little; where a sample begins. */
#include "../../lib/sampling.h"
#include "../check.h"
#include "../child.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- what comes next, and why ---- */

#define FOLDER "build/test/sampling"

/* The numbers of ./sample --next. */
static void test_next(const char *context) {
    SavedModel saved = model_open(FOLDER "/model.safetensors");
    const Model *model = &saved.model;
    Stream *stream = stream_start(&saved.vocabulary);
    for (const char *c = context; *c; c++) stream_push(stream, (uint8_t)id_of((unsigned char)*c));
    uint32_t rows[MAX_BAG];
    size_t count = stream_rows(stream, rows), seen = 0;
    float found[LOGITS], p[CHARACTERS], added[LOGITS];
    double logits[CHARACTERS], sum = 0;
    bool defined = true, likely = true;
    for (size_t c = 0; c < CHARACTERS; c++) logits[c] = (double)model->bias[c];
    for (size_t i = 0; i < count; i++) {
        bag_logits(&saved.step, rows + i, 1, added);
        for (size_t c = 0; c < CHARACTERS; c++) {
            double adds = 0;
            for (size_t d = 0; d < model->dim; d++)
                adds += (double)model->linear[c * model->dim + d] *
                        (double)model->embedding[rows[i] * model->dim + d];
            defined &= close_to((double)(added[c] - model->bias[c]), adds, 1e-5);
            logits[c] += adds;
        }
    }
    next_logits(&saved, stream, found);
    tempered_softmax(found, 1, p);
    for (size_t c = 0; c < CHARACTERS; c++) {
        sum += (double)p[c];
        if (saved.vocabulary.count[c] == 0) {
            likely &= found[c] == -INFINITY && p[c] == 0;
            continue;
        }
        seen++;
        defined &= close_to((double)found[c], logits[c], 1e-5);
        likely &= close_to(log((double)(p[c] / p[10])), logits[c] - logits[10], 1e-5);
    }
    check(defined, "after %zu characters: what each of %zu rows adds, and all together",
          strlen(context), count);
    check(likely && close_to(sum, 1, 1e-6) && seen > 20 && seen < 80,
          "after %zu characters: probabilities of %zu, none of the others", strlen(context), seen);
    stream_end(stream);
    model_close(&saved);
}

/* Only what the training text has can come: of one character only this one, of a file that does
   not say all. */
static void test_unseen(void) {
    uint32_t count[CHARACTERS] = {0};
    const Vocabulary vocabulary = {.count = count};
    size_t masked[3] = {0};
    for (uint32_t seen = 0; seen < 3; seen++) {
        float logits[LOGITS] = {0};
        if (seen) count[0] = count[CHARACTERS - 1] = seen - 1;
        if (seen == 1) count[0] = 1;
        mask_unseen(&vocabulary, logits);
        for (size_t c = 0; c < CHARACTERS; c++) masked[seen] += logits[c] == -INFINITY;
    }
    check(masked[0] == 0 && masked[1] == 99 && masked[2] == 98,
          "of 0, 1 and 2 characters seen: %zu, %zu and %zu cannot come", masked[0], masked[1],
          masked[2]);
}

/* Looks at what comes next when a number is NaN: of the bag's first row, or of the linear layer. */
static void look(const void *linear) {
    SavedModel saved = model_open(FOLDER "/model.safetensors");
    Stream *stream = stream_start(&saved.vocabulary);
    uint32_t rows[MAX_BAG];
    float logits[LOGITS];
    stream_push(stream, 10);
    stream_rows(stream, rows);
    float *number = saved.model.embedding + rows[0] * saved.model.dim;
    if (*(const bool *)linear) number = saved.model.linear;
    *number = NAN;
    step_load(&saved.step);
    finite_logits(&saved, stream, logits);
}

static void test_not_finite(void) {
    for (int linear = 0; linear < 2; linear++)
        check(ends(look, &(bool){linear}, 1, "numbers that are not finite"),
              "a NaN in %s is noticed", linear ? "the linear layer" : "the bag's first row");
}

/* ---- drawing ---- */

/* The word of the Mersenne Twister's state that random_bits turns into these bits. */
static uint32_t state_of(uint32_t bits) {
    bits ^= bits >> 18;
    bits ^= (bits << 15) & 0xefc60000u;
    uint32_t word = bits;
    for (int i = 0; i < 4; i++) word = bits ^ ((word << 7) & 0x9d2c5680u);
    bits = word;
    for (int i = 0; i < 2; i++) word = bits ^ (word >> 11);
    return word;
}

/* How often, of `tries`, the largest number that can be drawn lies beyond all kept characters:
   then the likeliest is taken. */
static size_t beyond(Sampling sampling, size_t tries, size_t *wrong) {
    enum { LIKELIEST = 3 };
    Random random = random_seeded(1), largest = random_seeded(2);
    size_t count = 0;
    for (size_t i = 0; i < tries; i++) {
        float logits[LOGITS];
        for (size_t c = 0; c < CHARACTERS; c++) logits[c] = 4 * random_uniform(&random);
        logits[LIKELIEST] = 5;
        largest.position = 0;
        largest.state[0] = state_of(UINT32_MAX);
        uint8_t id = draw_character(logits, sampling, &largest);
        *wrong += id >= CHARACTERS;
        count += id == LIKELIEST;
    }
    return count;
}

/* The character that a definition in doubles draws: softmax(logits / temperature) over those that
   are not masked, of which the likeliest stay. Returns CHARACTERS where rounding may decide. */
static size_t defined_draw(const float *logits, Sampling sampling, double uniform) {
    double p[CHARACTERS], sum = 0, kept = 0;
    bool in[CHARACTERS] = {false}, close = false;
    for (size_t c = 0; c < CHARACTERS; c++) {
        p[c] = exp((double)logits[c] / sampling.temperature);
        sum += p[c];
    }
    for (size_t c = 0; c < CHARACTERS; c++) p[c] /= sum;
    size_t most = sampling.top_k ? sampling.top_k : CHARACTERS;
    for (size_t count = 0; count < most; count++) {
        size_t likeliest = CHARACTERS;
        for (size_t c = 0; c < CHARACTERS; c++)
            if (!in[c] && (likeliest == CHARACTERS || p[c] > p[likeliest])) likeliest = c;
        close |= count > 0 && sampling.top_p < 1 && fabs(kept - sampling.top_p) < 1e-5;
        if (count > 0 && kept >= sampling.top_p) break;
        in[likeliest] = true;
        kept += p[likeliest];
    }
    double left = uniform * kept;
    for (size_t c = 0; c < CHARACTERS; c++) {
        if (!in[c]) continue;
        left -= p[c];
        if (close || fabs(left) < 1e-5) return CHARACTERS;
        if (left < 0) return c;
    }
    return CHARACTERS;
}

static void test_draws(Sampling sampling, bool few) {
    Random random = random_seeded(5);
    size_t wrong = 0, sure = 0;
    for (int i = 0; i < 400; i++) {
        float logits[LOGITS];
        for (size_t c = 0; c < CHARACTERS; c++) logits[c] = 6 * random_uniform(&random) - 3;
        for (size_t c = 0; few && c < CHARACTERS; c++)
            if (c % 3 != 1) logits[c] = -INFINITY;
        Random copy = random;
        size_t expected = defined_draw(logits, sampling, (double)random_uniform(&copy));
        size_t drawn = draw_character(logits, sampling, &random);
        sure += expected < CHARACTERS;
        wrong += expected < CHARACTERS && drawn != expected;
    }
    check(wrong == 0 && sure > 350,
          "temperature %g, top-k %zu, top-p %g%s: as defined, %zu of %zu not", sampling.temperature,
          sampling.top_k, sampling.top_p, few ? ", few allowed" : "", wrong, sure);
}

static void test_ranks(void) {
    float values[CHARACTERS];
    Scored ranked[CHARACTERS];
    bool sorted = true;
    for (size_t c = 0; c < CHARACTERS; c++) values[c] = (float)(c * 7 % 10);
    rank_characters(values, ranked);
    for (size_t i = 0; i < CHARACTERS; i++)
        sorted &= ranked[i].score == (double)values[ranked[i].row];
    for (size_t i = 1; i < CHARACTERS; i++) {
        Scored a = ranked[i - 1], b = ranked[i];
        sorted &= a.score > b.score || (a.score == b.score && a.row < b.row);
    }
    check(sorted, "characters by their values, the smaller id first where they are equal");
}

/* ---- where a sample begins ------------------------------------------------------------------ */

static size_t to_ids(const char *text, uint8_t *ids) {
    size_t length = 0;
    while (text[length]) ids[length] = (uint8_t)id_of((unsigned char)text[length]), length++;
    return length;
}

/* A text and the opening that it must have. */
static void test_opening(const char *text, const char *expected) {
    uint8_t ids[400];
    char opening[OPENING + 1];
    find_opening(ids, to_ids(text, ids), opening);
    check(!strcmp(opening, expected), "an opening of %zu characters, of a text of %zu",
          strlen(expected), strlen(text));
}

/* A stream begun for the model of this text, whose file says this opening (NULL: nothing), has
   the bag of `as`. */
static void test_begin(const char *text, const char *opening, const char *as) {
    uint8_t ids[400];
    SavedModel saved = {0};
    uint32_t rows[MAX_BAG], expected[MAX_BAG];
    saved.vocabulary = vocabulary_list(
        ids, to_ids(text, ids), (RowOptions){.order = 3, .min_count = 1, .max_rows = UINT32_MAX});
    if (opening) metadata_add(&saved.file.metadata, "opening", "%s", opening);
    Stream *begun = stream_start(&saved.vocabulary), *other = stream_start(&saved.vocabulary);
    stream_begin(begun, &saved);
    for (size_t i = 0; as[i]; i++) stream_push(other, (uint8_t)id_of((unsigned char)as[i]));
    size_t count = stream_rows(begun, rows);
    bool same =
        count == stream_rows(other, expected) && !memcmp(rows, expected, count * sizeof *rows);
    check(same, "a stream that begins%s has the rows of %zu characters",
          opening ? " with an opening" : "", strlen(as));
    stream_end(begun);
    stream_end(other);
    buffer_free(&saved.file.metadata);
    vocabulary_free(&saved.vocabulary);
}

static void test_beginnings(void) {
    char long_text[201], tail[OPENING + 1];
    for (size_t i = 0; i < 200; i++) long_text[i] = (char)('a' + i % 26);
    memcpy(long_text + 197, "\n\nz", 4);
    memcpy(tail, long_text + 199 - OPENING, OPENING);
    tail[OPENING] = '\0';
    test_opening("one\ntwo\n\nthree\nfour", "one\ntwo\n\n");
    test_opening("one\n\ntwo\n\n", "one\n\ntwo\n\n");
    test_opening("one\ntwo three", "one\n");
    test_opening("one two three", "one two ");
    test_opening("\n\none", "\n\n");
    test_opening(" one", " one");
    test_opening("one", "one");
    test_opening("", "");
    test_opening(long_text, tail);
    test_begin("ab\n\nab\n\nab", NULL, "\n\n");
    test_begin("ab\nab\nab", NULL, "\n");
    test_begin("ab ab ab", NULL, "");
    test_begin("ab\n\nab\n\nab", "", "\n\n");
    test_begin("ab\n\nab\n\nab", "b\nab", "b\nab");
}

int main(void) {
    if (system("mkdir -p " FOLDER " && head -c 9000 data/text.txt > " FOLDER "/text && "
               "./train -q -t 1 --dim 8 --out " FOLDER " " FOLDER "/text"))
        return 2;
    test_next("");
    test_next("the b");
    test_next("It's 5 o'clock;\n\nthe fox");
    test_unseen();
    test_not_finite();
    test_beginnings();
    static const double temperatures[] = {0.5, 1, 3}, shares[] = {0, 0.3, 0.9, 1};
    static const size_t counts[] = {0, 2, 3, 50, 100};
    for (size_t t = 0; t < 3; t++)
        for (size_t k = 0; k < 5; k++)
            for (size_t p = 0; p < 4; p++)
                test_draws((Sampling){temperatures[t], counts[k], shares[p]}, (t + k + p) % 2);
    test_ranks();
    Random largest = random_seeded(2);
    largest.position = 0;
    largest.state[0] = state_of(UINT32_MAX);
    check(random_uniform(&largest) == 1 - 0x1p-24f, "the largest number that can be drawn");
    static const struct {
        const char *name;
        Sampling sampling;
    } ways[] = {{"all characters", {.temperature = 1, .top_p = 1}},
                {"top-p 0.9", {.temperature = 1, .top_p = 0.9}},
                {"top-k 50", {.temperature = 1, .top_p = 1, .top_k = 50}}};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        size_t wrong = 0, count = beyond(ways[w].sampling, 1000, &wrong);
        check(count > 0 && count < 1000 && wrong == 0,
              "%s: where rounding leaves a little, the likeliest is taken: %zu of 1,000",
              ways[w].name, count);
    }
    return 0;
}

/* sample.c: a trained model goes on writing; or says what it expects next; or scores a text.

   The context is the prompt and everything written since. At each step its rows are summed, the linear layer
   and softmax make probabilities of the sum, one character is drawn, and it becomes part of the context. */
#include "model.h"

#include "lib/batches.h"
#include "lib/checkpoint.h"
#include "lib/options.h"
#include "lib/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "sample [OPTIONS] [PROMPT]: continues the prompt with a model that train wrote\n";
static const char examples[] = "Examples:\n"
                               "  sample \"WTF\"                         500 characters more\n"
                               "  sample -n 2000 -t 0.5 \"Dear Bartle,\"  longer, and more careful\n"
                               "  sample --next \"the \"                 what is expected after these characters, and why\n"
                               "  sample --score data/text.txt         nats and bits per character, perplexity\n";

typedef struct {
    size_t length, top_k, seed, from;
    double temperature, top_p;
    bool next;
    const char *model, *score, *prompt;
} Settings;

/* ---- probabilities ---------------------------------------------------------------------------- */

/* logits [104] of the character after the stream's text. */
static void next_logits(const SavedModel *saved, const Stream *stream, float *logits) {
    float h[MAX_DIM];
    uint32_t rows[MAX_ROWS_ON];
    size_t count = stream_rows(stream, rows);
    for (size_t i = 0; i < count; i++) prefetch_row(saved->model.embedding + rows[i] * saved->model.dim, saved->model.dim);
    embedding_forward(&saved->model, rows, count, h);
    linear_forward(&saved->model, h, 1, logits);
    for (size_t c = 0; c < CHARACTERS; c++)
        if (!isfinite(logits[c])) fail("the model holds numbers that are not finite; train it again");
}

typedef struct {
    float p;
    uint8_t id;
} Candidate;

static int more_likely(const void *a, const void *b) {
    const Candidate *x = a, *y = b;
    if (x->p != y->p) return x->p > y->p ? -1 : 1;
    return (int)x->id - (int)y->id;
}

/* Draws a character: at temperature T from softmax(logits / T), among the top_k most likely and the fewest
   that together have probability top_p (0 and 1: among all). */
static uint8_t draw(float *logits, const Settings *settings, Random *random) {
    size_t best = 0;
    for (size_t c = 1; c < CHARACTERS; c++)
        if (logits[c] > logits[best]) best = c;
    if (settings->top_k == 1 || settings->temperature < 1e-3) return (uint8_t)best;
    float inverse = (float)(1 / settings->temperature);
    for (size_t c = 0; c < CHARACTERS; c++) logits[c] *= inverse;
    double log_sum;
    softmax(logits, 1, &log_sum);
    float draw = random_uniform(random);
    if (!settings->top_k && settings->top_p >= 1) {
        for (size_t c = 0; c < CHARACTERS; c++)
            if ((draw -= logits[c]) < 0) return (uint8_t)c;
        return (uint8_t)best; /* rounding left a little: the sum of all p is a hair below 1 */
    }
    Candidate candidates[CHARACTERS];
    for (uint8_t c = 0; c < CHARACTERS; c++) candidates[c] = (Candidate){logits[c], c};
    qsort(candidates, CHARACTERS, sizeof *candidates, more_likely);
    size_t kept = settings->top_k && settings->top_k < CHARACTERS ? settings->top_k : CHARACTERS, count = 0;
    float total = 0;
    while (count < kept && (count == 0 || total < (float)settings->top_p)) total += candidates[count++].p;
    draw *= total;
    for (size_t i = 0; i < count; i++)
        if ((draw -= candidates[i].p) < 0) return candidates[i].id;
    return candidates[0].id;
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* Flushes standard output; a reader that has gone (head) ends the program quietly. */
static void flush(void) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return;
    if (errno == EPIPE) exit(0);
    fail("standard output cannot be written: %s", strerror(errno));
}

static void push_prompt(Stream *stream, const char *prompt) {
    for (size_t i = 0; prompt[i]; i++) {
        int id = id_of((unsigned char)prompt[i]);
        if (id < 0)
            fail("the prompt's byte %zu (0x%02x) is not one of the 100 printable characters; leave it out or use a look-alike", i + 1,
                 (unsigned)(unsigned char)prompt[i]);
        stream_push(stream, (uint8_t)id);
    }
}

static void write_on(const SavedModel *saved, Stream *stream, const Settings *settings) {
    float logits[LOGITS];
    Random random = random_seeded((uint32_t)settings->seed);
    bool live = isatty(STDOUT_FILENO);
    fputs(settings->prompt, stdout);
    for (size_t i = 0; i < settings->length; i++) {
        next_logits(saved, stream, logits);
        uint8_t id = draw(logits, settings, &random);
        stream_push(stream, id);
        if (putchar_unlocked(character_of(id)) == EOF) flush();
        if (live || i == 0) flush();
    }
    putchar('\n');
    flush();
}

/* ---- what comes next -------------------------------------------------------------------------- */

static void show_next(const SavedModel *saved, const Stream *stream) {
    enum { SHOWN = 12 };
    float logits[LOGITS];
    double log_sum;
    next_logits(saved, stream, logits);
    softmax(logits, 1, &log_sum);
    Candidate candidates[CHARACTERS];
    for (uint8_t c = 0; c < CHARACTERS; c++) candidates[c] = (Candidate){logits[c], c};
    qsort(candidates, CHARACTERS, sizeof *candidates, more_likely);
    printf("next\n");
    for (int i = 0; i < SHOWN; i++) {
        char name[8], bar[41] = "";
        memset(bar, '#', (size_t)(40 * candidates[i].p + 0.5f));
        printf("  %-6s %6.2f%%  %s\n", character_name(character_of(candidates[i].id), name), 100 * (double)candidates[i].p, bar);
    }
    uint32_t rows[MAX_ROWS_ON];
    size_t count = stream_rows(stream, rows);
    printf("rows on\n");
    for (size_t i = 0; i < count; i++) {
        char name[ROW_NAME];
        printf("  %-24s seen %u times\n", row_name(&saved->contexts, rows[i], name), (unsigned)saved->contexts.count[rows[i]]);
    }
    if (!count) printf("  none: only linear.bias speaks\n");
    flush();
}

/* ---- scoring ---------------------------------------------------------------------------------- */

static void score(const SavedModel *saved, const Settings *settings) {
    Text text = text_read(settings->score, false);
    text_notice(&text, settings->score);
    if (settings->from >= text.length) fail("--from %zu: %s has only %zu characters", settings->from, settings->score, text.length);
    size_t count = text.length - settings->from;
    Team *team = team_start(processors());
    Found found = contexts_find(team, &saved->contexts, text.ids, settings->from, count);
    double loss = stretch_loss(team, &saved->model, &saved->contexts, &found);
    if (!isfinite(loss)) fail("%s: the model holds numbers that are not finite; train it again", settings->model);
    printf("chars %zu nats/char %.6f bits/char %.6f perplexity %.6f\n", count, loss, loss / log(2), exp(loss));
    flush();
    found_free(&found);
    team_end(team);
    free(text.ids);
}

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    Settings settings = {.length = 500, .temperature = 0.8, .top_p = 1, .model = "out/model.safetensors", .prompt = ""};
    settings.seed = ((size_t)now.tv_nsec ^ (size_t)now.tv_sec * 2654435761u ^ (size_t)getpid() << 12) & UINT32_MAX;
    char seed_help[] = "of the random numbers (default: another each time, told on standard error)";
    Option table[] = {
        {GROUP, .name = "Writing"},
        {COUNT, "length", 'n', &settings.length, 0, 1e15, "N", "characters to write"},
        {REAL, "temperature", 't', &settings.temperature, 0, 100, "T", "below 1: safer, above 1: wilder, 0: always the likeliest"},
        {COUNT, "top-k", 'k', &settings.top_k, 0, CHARACTERS, "K", "draw among the K likeliest (default 0: all)"},
        {REAL, "top-p", 'p', &settings.top_p, 0, 1, "P", "draw among the likeliest that together have probability P"},
        {COUNT, "seed", 's', &settings.seed, 0, UINT32_MAX, "N", seed_help},
        {GROUP, .name = "Looking"},
        {FLAG, "next", 0, &settings.next, 0, 1, NULL, "show what is expected after the prompt, and which rows are on"},
        {TEXT, "score", 0, &settings.score, 0, 0, "FILE", "print how well a text is predicted (- is standard input)"},
        {COUNT, "from", 0, &settings.from, 0, 1e15, "N", "score from this character on; those before are context (default 0)"},
        {GROUP, .name = "Files"},
        {TEXT, "model", 'm', &settings.model, 0, 0, "FILE", "the model"},
        {0}};
    set_program_name(argv[0]);
    parse_options(argc, argv, table, usage, examples, &settings.prompt, 1);
    signal(SIGPIPE, SIG_IGN); /* a write then fails with EPIPE, which flush takes for a quiet end */
    SavedModel saved = model_open(settings.model);
    if (settings.score) {
        score(&saved, &settings);
    } else {
        Stream *stream = stream_start(&saved.contexts);
        push_prompt(stream, settings.prompt);
        if (settings.next) {
            show_next(&saved, stream);
        } else {
            if (!option_named(table, "seed")->given) notice("seed %zu", settings.seed);
            write_on(&saved, stream, &settings);
        }
        stream_end(stream);
    }
    model_close(&saved);
    return 0;
}

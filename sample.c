/* sample.c: a trained model goes on writing; or says what it expects next; or scores a text.

   The context is the prompt and everything written since. At each step its rows are summed, the linear layer
   and softmax make probabilities of the sum, one character is drawn, and it becomes part of the context. */
#include "model.h"

#include "lib/checkpoint.h"
#include "lib/fail.h"
#include "lib/format.h"
#include "lib/options.h"
#include "lib/report.h"
#include "lib/sampling.h"
#include "lib/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "sample [OPTIONS] [PROMPT]: continues the prompt with a model that train wrote; without a prompt it begins\n"
                            "a text, as after a blank line. (An empty prompt, \"\", is no context at all: only linear.bias speaks.)\n";
static const char examples[] = "Examples:\n"
                               "  sample                               a text of 500 characters\n"
                               "  sample \"WTF\"                         500 characters more\n"
                               "  sample -n 2000 -t 0.5 \"Dear Bartle,\" longer, and more careful\n"
                               "  sample --next \"the \"                 what is expected after these characters, and why\n"
                               "  sample --score data/text.txt         nats and bits per character, perplexity\n";

typedef struct {
    size_t length, seed, from;
    Sampling sampling;
    bool next;
    const char *model, *score, *prompt;
} Settings;

/* ---- writing ---------------------------------------------------------------------------------- */

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
        uint8_t id = draw_character(logits, settings->sampling, &random);
        stream_push(stream, id);
        if (putchar_unlocked(character_of(id)) == EOF) flush_output();
        if (live || i == 0) flush_output();
    }
    putchar('\n');
    flush_output();
}

/* ---- what comes next -------------------------------------------------------------------------- */

static void show_next(const SavedModel *saved, const Stream *stream) {
    enum { SHOWN = 12 };
    float logits[LOGITS];
    next_logits(saved, stream, logits);
    softmax(logits);
    double p[CHARACTERS];
    Candidate candidates[CHARACTERS];
    for (size_t c = 0; c < CHARACTERS; c++) p[c] = (double)logits[c];
    rank_characters(p, candidates);
    printf("next\n");
    for (int i = 0; i < SHOWN; i++) {
        char name[8], bar[41] = "";
        memset(bar, '#', (size_t)(40 * candidates[i].value + 0.5));
        printf("  %-6s %6.2f%%  %s\n", character_name(character_of(candidates[i].id), name),
               100 * candidates[i].value, bar);
    }
    uint32_t rows[MAX_BAG];
    size_t count = stream_rows(stream, rows);
    printf("rows on\n");
    for (size_t i = 0; i < count; i++) {
        char name[ROW_NAME], number[32];
        printf("  %-24s seen %s times\n", row_name(&saved->vocabulary, rows[i], name), grouped(saved->vocabulary.count[rows[i]], number));
    }
    if (!count) printf("  none: only linear.bias speaks\n");
    flush_output();
}

/* ---- scoring ---------------------------------------------------------------------------------- */

static void score(const SavedModel *saved, const Settings *settings) {
    Text text = text_read(settings->score, false);
    text_notice(&text, settings->score);
    char number[32];
    if (settings->from >= text.length)
        fail("--from %zu: %s has only %s characters; name one of them, counted from 0", settings->from, settings->score, grouped(text.length, number));
    size_t count = text.length - settings->from;
    Team *team = team_start(processors());
    Bags found = bags_find(team, &saved->vocabulary, text.ids, settings->from, count);
    double loss = text_loss(team, &saved->model, &saved->vocabulary, &found);
    if (!isfinite(loss))
        fail("%s: the model holds numbers that are not finite, or so large that a sum of them is not; "
             "train it again", settings->model);
    printf("chars %zu nats/char %.6f bits/char %.6f perplexity %.6f\n", count, loss, loss / log(2), exp(loss));
    flush_output();
    bags_free(&found);
    team_end(team);
    free(text.ids);
}

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    Settings settings = {.length = 500, .sampling = {.temperature = 0.8, .top_p = 1}, .model = "out/model.safetensors", .prompt = ""};
    settings.seed = ((size_t)now.tv_nsec ^ (size_t)now.tv_sec * 2654435761u ^ (size_t)getpid() << 12) & UINT32_MAX;
    char seed_help[] = "of the random numbers (default: another each time, told on standard error)";
    Option table[] = {
        {GROUP, .name = "Writing"},
        {COUNT, "length", 'n', &settings.length, 0, 1e15, "N", "characters to write"},
        {REAL, "temperature", 't', &settings.sampling.temperature, 0, 100, "T", "below 1: safer, above 1: wilder, 0: always the likeliest"},
        {COUNT, "top-k", 'k', &settings.sampling.top_k, 0, CHARACTERS, "K", "draw among the K likeliest (default 0: all)"},
        {REAL, "top-p", 'p', &settings.sampling.top_p, 0, 1, "P", "draw among the likeliest that together have probability P"},
        {COUNT, "seed", 's', &settings.seed, 0, UINT32_MAX, "N", seed_help},
        {GROUP, .name = "Looking"},
        {FLAG, "next", 0, &settings.next, 0, 1, NULL, "show what is expected after the prompt, and which rows are on"},
        {TEXT, "score", 0, &settings.score, 0, 0, "FILE", "print how well a text is predicted (- is standard input)"},
        {COUNT, "from", 0, &settings.from, 0, 1e15, "N", "score from this character on; those before are context (default 0)"},
        {GROUP, .name = "Files"},
        {TEXT, "model", 'm', &settings.model, 0, 0, "FILE", "the model"},
        {0}};
    set_program_name(argv[0]);
    bool prompted = parse_options(argc, argv, table, usage, examples, &settings.prompt, 1) > 0;
    if (option_named(table, "from")->given && !settings.score) wrong_use("--from belongs to --score FILE; leave it out, or name the file");
    signal(SIGPIPE, SIG_IGN); /* a write then fails with EPIPE, which flush_output takes for a quiet end */
    SavedModel saved = model_open(settings.model);
    if (settings.score) {
        score(&saved, &settings);
    } else {
        Stream *stream = stream_start(&saved.vocabulary);
        if (prompted) push_prompt(stream, settings.prompt);
        else stream_begin(stream, &saved.vocabulary);
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

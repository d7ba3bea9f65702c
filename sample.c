/* sample.c: a trained model goes on writing; or says what it expects next, and why; or scores a
   text. The context is the prompt and all that was written since. */
#include "model.h"

#include "lib/adapt.h"
#include "lib/checkpoint.h"
#include "lib/fail.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/sampling.h"
#include "lib/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "sample [OPTIONS] [PROMPT]: continues the prompt with a model that train wrote.\n"
    "Without a prompt it begins where a text begins. (\"\" is no context at all: then\n"
    "only linear.bias speaks. - reads the prompt from standard input.)\n";
static const char examples[] =
    "Examples:\n"
    "  sample                           a text of 500 characters\n"
    "  sample \"WTF\"                     500 characters more\n"
    "  sample -t 0.5 -r 12 \"Dear \"      more careful, but never in circles\n"
    "  sample --until \"\\n\\n\"            up to the next blank line\n"
    "  sample --next \"the \"             what is expected after these, and why\n"
    "  sample --score data/text.txt     nats and bits per character, perplexity\n"
    "  sample -- \"-- he said\"           a prompt that begins with a dash\n";

typedef struct {
    size_t length, seed, from, no_repeat;
    Sampling sampling;
    bool next, adapt, seed_given;
    const char *model, *score, *until, *prompt_file, *prompt;
    uint8_t *end; /* [end_length] what --until means */
    size_t end_length;
} Settings;

/* ---- the prompt ------------------------------------------------------------------------------ */

/* The ids of the prompt, in the stream and in `written`; without a prompt a beginning, which is not
   written. */
static void push_prompt(Stream *stream, const SavedModel *saved, const Settings *settings,
                        Buffer *written) {
    const char *file = settings->prompt_file;
    if (settings->prompt && !strcmp(settings->prompt, "-")) file = "-";
    if (file) {
        Text text = text_read(file, false);
        text_notice(&text, file);
        buffer_bytes(written, text.ids, text.length);
        free(text.ids);
    } else if (settings->prompt) {
        char *prompt = text_argument("the prompt", settings->prompt);
        for (const char *c = prompt; *c; c++)
            buffer_bytes(written, (uint8_t[]){(uint8_t)id_of((unsigned char)*c)}, 1);
        free(prompt);
    } else
        stream_begin(stream, saved);
    for (size_t i = 0; i < written->length; i++) stream_push(stream, (uint8_t)written->text[i]);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Masks what would write the last n characters of the text once more, that is, what followed the
   same n - 1 characters before; nothing when nothing would be left. */
static void mask_repeats(const Buffer *text, size_t n, float *logits) {
    enum { REACH = 4096 };
    float others[CHARACTERS];
    if (n == 0 || text->length < n) return;
    memcpy(others, logits, sizeof others);
    const char *end = text->text + text->length - (n - 1);
    const char *at = text->length > REACH ? text->text + text->length - REACH : text->text;
    for (; at < end; at++)
        if (!memcmp(at, end, n - 1)) others[(uint8_t)at[n - 1]] = -INFINITY;
    if (largest_of_100(others) > -INFINITY) memcpy(logits, others, sizeof others);
}

static bool ends_with(const Buffer *text, const uint8_t *end, size_t length) {
    return length > 0 && text->length >= length &&
           !memcmp(text->text + text->length - length, end, length);
}

static void write_on(const SavedModel *saved, Stream *stream, const Settings *settings,
                     Buffer *written) {
    float logits[LOGITS];
    Random random = random_seeded((uint32_t)settings->seed);
    bool live = isatty(STDOUT_FILENO);
    for (size_t i = 0; i < written->length; i++)
        putchar_unlocked(character_of((uint8_t)written->text[i]));
    for (size_t i = 0; i < settings->length; i++) {
        next_logits(saved, stream, logits);
        mask_repeats(written, settings->no_repeat, logits);
        uint8_t id = draw_character(logits, settings->sampling, &random);
        stream_push(stream, id);
        if (settings->no_repeat || settings->end_length) buffer_bytes(written, &id, 1);
        if (putchar_unlocked(character_of(id)) == EOF || live || i == 0) flush_output();
        if (ends_with(written, settings->end, settings->end_length)) break;
    }
    putchar('\n');
    flush_output();
}

/* ---- what comes next, and why ---------------------------------------------------------------- */

enum { SHOWN = 12, COLUMNS_SHOWN = 6 };

static void show_probabilities(const Scored *likely, size_t count) {
    printf("next\n");
    for (size_t i = 0; i < smaller(SHOWN, count); i++) {
        char name[8], bar[41] = "";
        double p = likely[i].score;
        memset(bar, '#', (size_t)(40 * p + 0.5));
        printf("  %-6s %6.2f%%  %s\n", character_name(character_of(likely[i].row), name), 100 * p,
               bar);
    }
}

/* What `addend` [100] adds to the logits of the likeliest characters, beyond what it adds to the
   mean of all that are likely [count]: softmax does not notice what is added to all. */
static void show_addend(const char *name, size_t seen, const float *addend, const Scored *likely,
                        size_t count) {
    double sum = 0;
    char number[32];
    for (size_t i = 0; i < count; i++) sum += (double)addend[likely[i].row];
    printf("  %-20.40s", name);
    for (size_t i = 0; i < smaller(COLUMNS_SHOWN, count); i++)
        printf(" %+6.2f", (double)addend[likely[i].row] - sum / (double)count);
    if (seen) printf("  seen %s", grouped(seen, number));
    printf("\n");
}

static void show_next(const SavedModel *saved, const Stream *stream) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    Scored likely[CHARACTERS];
    float logits[LOGITS], p[CHARACTERS];
    uint32_t bag[MAX_BAG];
    size_t rows = stream_rows(stream, bag), count = 0;
    char name[ROW_NAME];
    next_logits(saved, stream, logits);
    tempered_softmax(logits, 1, p);
    rank_characters(p, likely);
    while (count < CHARACTERS && likely[count].score > 0) count++;
    show_probabilities(likely, count);
    printf("\nwhat each row of the bag adds to their logits\n  %-20s", "");
    for (size_t i = 0; i < smaller(COLUMNS_SHOWN, count); i++)
        printf(" %6s", character_name(character_of(likely[i].row), name));
    printf("\n");
    for (size_t i = 0; i < rows; i++) {
        bag_logits(&saved->step, bag + i, 1, logits);
        for (size_t c = 0; c < CHARACTERS; c++) logits[c] -= saved->model.bias[c];
        show_addend(row_name(vocabulary, bag[i], name), vocabulary->count[bag[i]], logits, likely,
                    count);
    }
    show_addend("linear.bias", 0, saved->model.bias, likely, count);
    flush_output();
}

/* ---- scoring --------------------------------------------------------------------------------- */

static void score(const SavedModel *saved, const Settings *settings) {
    Text text = text_read(settings->score, false);
    text_notice(&text, settings->score);
    char number[64];
    if (settings->from >= text.length)
        fail("--from %zu: %s has only %s; name one of them, counted from 0", settings->from,
             settings->score, counted(text.length, "characters", number));
    size_t count = text.length - settings->from;
    Team *team = team_start(processors());
    Bags bags = bags_find(team, &saved->vocabulary, text.ids, settings->from, count);
    double loss = settings->adapt ? adapting_loss(saved, &bags)
                                  : text_loss(team, &saved->model, &saved->vocabulary, &bags);
    if (!model_finite(&saved->model) || !(loss >= 0 && loss <= 1e6))
        fail("%s: its loss is %g nats/char, where knowing nothing gives %.1f: its numbers are "
             "damaged, or grew without end in training; train it again",
             settings->model, loss, log(CHARACTERS));
    printf("chars %zu nats/char %.6f bits/char %.6f perplexity %.6f%s\n", count, loss,
           loss / log(2), exp(loss), settings->adapt ? " adapting" : "");
    flush_output();
    bags_free(&bags);
    team_end(team);
    free(text.ids);
}

/* Writes on behind the prompt, or shows what is expected there. */
static void go_on(const SavedModel *saved, const Settings *settings) {
    Stream *stream = stream_start(&saved->vocabulary);
    Buffer written = {0};
    push_prompt(stream, saved, settings, &written);
    if (!settings->next && !settings->seed_given) notice("seed %zu", settings->seed);
    if (settings->next)
        show_next(saved, stream);
    else
        write_on(saved, stream, settings, &written);
    stream_end(stream);
    buffer_free(&written);
}

/* Another seed each time. */
static size_t new_seed(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    size_t mixed = (size_t)now.tv_nsec ^ (size_t)now.tv_sec * 2654435761u ^ (size_t)getpid() << 12;
    return mixed & UINT32_MAX;
}

int main(int argc, char **argv) {
    Settings settings = {.length = 500,
                         .seed = new_seed(),
                         .sampling = {.temperature = 0.8, .top_p = 1},
                         .model = "out/model.safetensors",
                         .until = ""};
    Option table[] = {
        {GROUP, .name = "Writing"},
        {COUNT, "length", 'n', &settings.length, 0, 1e15, "N", "characters to write, at most"},
        {TEXT, "until", 'u', &settings.until, 0, 0, "TEXT",
         "stop when this was written (\\n: line)"},
        {REAL, "temperature", 't', &settings.sampling.temperature, 0, 100, "T",
         "below 1 safer, above 1 wilder, 0: always the likeliest"},
        {COUNT, "top-k", 'k', &settings.sampling.top_k, 0, CHARACTERS, "K",
         "draw among the K likeliest (default 0: all)"},
        {REAL, "top-p", 'p', &settings.sampling.top_p, 0, 1, "P",
         "draw among the likeliest that have P together"},
        {COUNT, "no-repeat", 'r', &settings.no_repeat, 0, 1000, "N",
         "write no N characters twice (default 0: may)"},
        {COUNT, "seed", 's', &settings.seed, 0, UINT32_MAX, "N",
         "of the random numbers (default: another each time)"},
        {TEXT, "prompt", 0, &settings.prompt_file, 0, 0, "FILE", "read the prompt from a file"},
        {GROUP, .name = "Looking"},
        {FLAG, "next", 0, &settings.next, 0, 1, NULL, "show what is expected next, and why"},
        {TEXT, "score", 0, &settings.score, 0, 0, "FILE",
         "print how well a text is predicted (- is standard input)"},
        {COUNT, "from", 0, &settings.from, 0, 1e15, "N",
         "score from character N on; those before are context (default 0)"},
        {FLAG, "adapt", 0, &settings.adapt, 0, 1, NULL,
         "score: the rows go on learning from what is read"},
        {GROUP, .name = "Files"},
        {TEXT, "model", 'm', &settings.model, 0, 0, "FILE", "the model"},
        {0}};
    set_program_name(argv[0]);
    parse_options(argc, argv, table, usage, examples, &settings.prompt, 1);
    if ((option_named(table, "from")->given || settings.adapt) && !settings.score)
        wrong_use("--from and --adapt belong to --score FILE; leave them out, or name the file");
    if (settings.prompt && settings.prompt_file)
        wrong_use("\"%s\" and --prompt are two prompts; leave one out", settings.prompt);
    settings.end = allocate(strlen(settings.until) + 1, 1, "--until");
    settings.end_length = unescaped(settings.until, settings.end);
    if (*settings.until && settings.end_length == 0)
        wrong_use("--until: \"%s\" is not made of printable characters", settings.until);
    signal(SIGPIPE, SIG_IGN); /* flush_output takes a failed write for a quiet end */
    settings.seed_given = option_named(table, "seed")->given;
    SavedModel saved = model_open(settings.model);
    shorten_rows(&saved);
    if (settings.score)
        score(&saved, &settings);
    else
        go_on(&saved, &settings);
    model_close(&saved);
    free(settings.end);
    return 0;
}

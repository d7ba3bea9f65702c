/* core.c: the trainer as page/worker.js sees it: what ./train and ./sample do, without files. The
   rest of the C is lib/'s and model.h, compiled as they are (page/system.c stands for threads and
   for messages). page/build makes a WebAssembly module of it, which holds one run from its start to
   its end. Sizes are 32 bits; pointers are places in its memory; fail() ends a call. */
#include "../lib/fail.h"
#include "../lib/format.h"
#include "../lib/memory.h"
#include "../lib/sampling.h"
#include "../lib/settings.h"
#include "../lib/text.h"

#include <stdlib.h>
#include <string.h>

/* Under this name page/worker.js calls the function that follows. */
#define EXPORT(name) __attribute__((export_name(name)))

/* The run. */
static struct {
    Settings settings;
    Text text;
    size_t split; /* characters 0..split-1 are for training */
    Team *team;
    Vocabulary vocabulary;
    Bags val; /* the validation part's bags */
    Trainer *trainer;
} run;

/* One bag, looked at: the bag of a position of the next batch, or of a prompt. */
static struct {
    uint32_t rows[MAX_BAG + 1]; /* NO_ROW ends them */
    size_t count;
    float h[MAX_DIM];               /* the sum of the rows */
    float p[CHARACTERS];            /* softmax(logits) */
    float dlogits[CHARACTERS];      /* (p - onehot(target)) / positions of the batch */
    float dh[MAX_DIM];              /* linear.weight^T dlogits */
    float gradient[MAX_DIM];        /* of one row, from the whole batch */
    uint32_t occurring[CHARACTERS]; /* in the bags of how many positions a character's row is */
} look;

/* ---- the start ------------------------------------------------------------------------------ */

/* Memory for the caller to write into. */
EXPORT("room") void *room(size_t bytes) { return allocate(bytes, 1, "the page"); }

/* As ./train divides a text: its end is for validation; with --val 0 that is trained on, too. */
static size_t divide_text(double val) {
    size_t length = run.text.length, val_first;
    char number[64];
    run.split = val_first = (size_t)((double)length * (1 - val));
    if (val <= 0) val_first = length - (length + 9) / 10;
    if (run.split < 2 || val_first == length)
        fail("the text is too short (%s) to train on some of it and validate on the rest; give a "
             "longer one",
             counted(length, "characters", number));
    return val_first;
}

/* Lines of a name and a value: the settings by their names as options, what the run has, and @
   where in memory it is. */
static char *facts_of(const Baselines *baselines) {
    const Trainer *trainer = run.trainer;
    const Vocabulary *vocabulary = &run.vocabulary;
    const struct {
        const char *name;
        size_t value;
    } numbers[] = {
        {"characters", run.text.length},
        {"trainCharacters", run.split},
        {"rows", vocabulary->rows},
        {"steps", trainer->steps},
        {"epochSteps", epoch_steps(run.split, run.settings.run.batch)},
        {"@text", (size_t)run.text.ids},
        {"@count", (size_t)vocabulary->count},
        {"@embedding", (size_t)trainer->model.embedding},
        {"@linear", (size_t)trainer->model.linear},
        {"@embeddingSum", (size_t)trainer->sum.embedding},
        {"@linearSum", (size_t)trainer->sum.linear},
        {"@bag", (size_t)look.rows},
        {"@h", (size_t)look.h},
        {"@p", (size_t)look.p},
        {"@dlogits", (size_t)look.dlogits},
        {"@dh", (size_t)look.dh},
        {"@gradient", (size_t)look.gradient},
        {"@occurring", (size_t)look.occurring},
    };
    Buffer facts = {0};
    for (const Option *option = run.settings.options; option->name; option++) {
        if (option->kind == GROUP || option->not_kept) continue;
        char *value = option_text(option);
        buffer_add(&facts, "--%s %s\n", option->name, value);
        free(value);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        buffer_add(&facts, "%s %zu\n", numbers[i].name, numbers[i].value);
    buffer_add(&facts, "uniform %.17g\nunigram %.17g\nbigram %.17g\n", baselines->uniform,
               baselines->unigram, baselines->bigram);
    for (RowKind kind = 0; kind < ROW_KINDS; kind++)
        buffer_add(&facts, "end:%s %u\n", row_kind_name(kind), (unsigned)vocabulary->end[kind]);
    return facts.text;
}

/* Everything up to the first step, from ./train's command line, whose text is - (standard input).
   Returns facts_of the run. */
EXPORT("start") char *start(int argc, char **argv) {
    set_memory_advice("try a smaller dim, order or batch, or a shorter text");
    settings_read(&run.settings, argc, argv);
    run.text = text_read(run.settings.text, run.settings.strict);
    text_notice(&run.text, "the text");
    const uint8_t *ids = run.text.ids;
    size_t val_first = divide_text(run.settings.val);
    settings_complete(&run.settings, run.split);
    run.team = team_start(1);
    run.vocabulary = vocabulary_list(ids, run.split, run.settings.rows);
    Baselines baselines = baselines_of(ids, run.split);
    run.trainer = trainer_start(run.team, &run.vocabulary, ids, run.split, run.settings.run, NULL);
    run.val = bags_find(run.team, &run.vocabulary, ids, val_first, run.text.length - val_first);
    return facts_of(&baselines);
}

/* ---- training ------------------------------------------------------------------------------- */

/* Takes the next steps, at most RUN_STEPS and no more than are left; returns their mean loss. */
EXPORT("run") double take_steps(size_t steps) {
    Trainer *trainer = run.trainer;
    double sum = 0, positions = 0;
    size_t from = trainer->step;
    if (steps > RUN_STEPS) steps = RUN_STEPS;
    steps = trainer_run(trainer, steps);
    if (trainer->bad_loss)
        fail("the loss of batch %zu is not a finite number: training stops; start again with a "
             "smaller learning rate",
             trainer->step);
    for (size_t i = 0; i < steps; i++) {
        double count = (double)step_positions(trainer, from + i);
        sum += (double)trainer->losses[i] * count;
        positions += count;
    }
    return positions > 0 ? sum / positions : 0;
}

/* The mean loss on the validation part, in nats per character. */
EXPORT("evaluate") double evaluate(void) { return trainer_score(run.trainer, &run.val); }

/* ---- looking -------------------------------------------------------------------------------- */

static void look_forward(void) {
    const Model *model = &run.trainer->model;
    look.rows[look.count] = NO_ROW;
    embedding_forward(model, look.rows, look.count, look.h);
    linear_forward(model, look.h, look.p);
    softmax(look.p);
}

/* Looks at one position of the next batch, before its step: rows, h, p, dlogits, dh. Returns its
   place in the text: the character there is the target. */
EXPORT("lookAt") size_t look_at(size_t position) {
    Trainer *trainer = run.trainer;
    const Vocabulary *vocabulary = &run.vocabulary;
    if (trainer->step == trainer->steps) fail("all steps of this run are taken; start it again");
    if (trainer->step == trainer->shard_end) trainer_seek(trainer, trainer->step);
    size_t positions = step_positions(trainer, trainer->step);
    if (position >= positions) position = positions - 1;
    position += (trainer->step - trainer->shard_step) * trainer->options.batch;
    uint64_t packed = trainer->order[position];
    size_t place = packed & ((1u << TARGET_SHIFT) - 1);
    const Beside *beside = trainer->bags.beside ? trainer->bags.beside + place : NULL;
    look.count = bag_rows(vocabulary, trainer->bags.ngram[place], beside, look.rows);
    look_forward();
    Model gradient = model_allocate(0, trainer->model.dim);
    memcpy(look.dlogits, look.p, sizeof look.p);
    cross_entropy_backward(look.dlogits, &trainer->bags.targets[place], 1, positions);
    linear_backward(&trainer->model, &gradient, look.h, look.dlogits, look.dh);
    model_free(&gradient);
    return trainer->bags.first + place;
}

/* After run(1): finds in the bags of how many positions of that batch each character's row was;
   returns how many positions there were. */
EXPORT("occurring") size_t find_occurring(void) {
    const Batch *batch = &run.trainer->ahead[0].batch;
    memset(look.occurring, 0, sizeof look.occurring);
    for (size_t u = 0; u < batch->distinct; u++)
        if (batch->rows[u] < CHARACTERS) look.occurring[batch->rows[u]] = batch->frequency[u];
    return batch->positions;
}

/* After run(1): sums the gradient that this row got from that batch. */
EXPORT("gradient") void find_gradient(uint32_t row) {
    const Batch *batch = &run.trainer->ahead[0].batch;
    size_t dim = run.trainer->model.dim;
    memset(look.gradient, 0, sizeof look.gradient);
    for (size_t b = 0; b < batch->bags; b++)
        for (size_t i = batch->offsets[b]; i < batch->offsets[b + 1]; i++)
            for (size_t d = 0; batch->indices[i] == row && d < dim; d++)
                look.gradient[d] += run.trainer->state.dh[b * padded(dim) + d];
}

/* A stream behind this prompt; behind what begins a text when there is none. */
static Stream *stream_behind(const char *prompt) {
    Stream *stream = stream_start(&run.vocabulary);
    char opening[OPENING + 1], *characters = text_argument("the prompt", prompt);
    find_opening(run.text.ids, run.split, opening);
    for (const char *c = *characters ? characters : opening; *c; c++)
        stream_push(stream, (uint8_t)id_of((unsigned char)*c));
    free(characters);
    return stream;
}

/* Looks at the end of a prompt: rows, h, p. */
EXPORT("read") void read_prompt(const char *prompt) {
    Stream *stream = stream_behind(prompt);
    look.count = stream_rows(stream, look.rows);
    stream_end(stream);
    look_forward();
}

/* A row's name, and the row of a name; NO_ROW: none. */
EXPORT("name") char *name_of(uint32_t row) {
    static char name[ROW_NAME];
    return row_name(&run.vocabulary, row, name);
}

EXPORT("row") uint32_t row_of(const char *name) { return named_row(&run.vocabulary, name); }

/* ---- writing -------------------------------------------------------------------------------- */

/* What ./sample writes behind a prompt: a string, to be freed by done. */
EXPORT("sample")
char *sample(const char *prompt, size_t length, double temperature, uint32_t seed) {
    const Sampling sampling = {.temperature = temperature, .top_p = 1};
    Stream *stream = stream_behind(prompt);
    Random random = random_seeded(seed);
    char *text = allocate(length + 1, 1, "the sample");
    for (size_t i = 0; i < length; i++) {
        uint32_t rows[MAX_BAG];
        float logits[LOGITS];
        bag_logits(&run.trainer->state, rows, stream_rows(stream, rows), logits);
        mask_unseen(&run.vocabulary, logits);
        uint8_t id = draw_character(logits, sampling, &random);
        text[i] = character_of(id);
        stream_push(stream, id);
    }
    stream_end(stream);
    return text;
}

EXPORT("done") void done(void *memory) { free(memory); }

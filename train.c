/* train.c: the story of a run, from a text to a model.

       text -> characters -> vocabulary -> bags -> batches -> model -> loss -> files

   Read main first, then lib/run.c; model.h is where the learning happens. */
#include "lib/fail.h"
#include "lib/memory.h"
#include "lib/run.h"
#include "lib/sampling.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The signal that asks for an end; 0: none yet. */
static volatile sig_atomic_t stop_signal;

static void stop(int number) { stop_signal = number; }

/* A signal that was ignored when the program began stays ignored, as nohup wants it. */
static void catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
    for (size_t i = 0; i < 4; i++)
        if (signal(signals[i], stop) == SIG_IGN) signal(signals[i], SIG_IGN);
}

/* So that a shell that runs several programs stops, too. */
static void die_of_signal(void) {
    signal(stop_signal, SIG_DFL);
    raise(stop_signal);
}

/* ---- the beginning ----------------------------------------------------------------------------- */

/* Starts from another model, where one is named. */
static void adopt(Run *run) {
    const Settings *settings = &run->settings;
    Trainer *trainer = run->trainer;
    bool whole = settings->init[0];
    const char *path = whole ? settings->init : settings->pretrained;
    if (!path[0]) return;
    size_t rows = model_adopt(&trainer->model, &run->vocabulary, path, whole);
    report_adopted(&run->report, path, rows, trainer->model.rows, whole);
}

/* What the files say of the run: its options, its text. */
static Metadata describe(const Run *run) {
    Metadata about = {0};
    char opening[OPENING + 1];
    uint64_t fingerprint = text_fingerprint(run->text.ids, run->text.length);
    for (const Option *option = run->settings.options; option->name; option++) {
        if (!option->decides) continue;
        char *value = option_text(option);
        metadata_add(&about, option->name, "%s", value);
        free(value);
    }
    metadata_add(&about, "text_characters", "%zu", run->text.length);
    metadata_add(&about, "train_characters", "%zu", run->split);
    metadata_add(&about, "text_fingerprint", "%016llx", (unsigned long long)fingerprint);
    find_opening(run->text.ids, run->split, opening);
    metadata_add(&about, "opening", "%s", opening);
    metadata_add(&about, "least_count", "%u", (unsigned)run->vocabulary.min_count);
    metadata_add(&about, "unigram_entropy", "%.6f", run->baselines.unigram);
    metadata_add(&about, "conditional_entropy", "%.6f", run->baselines.bigram);
    return about;
}

/* Says where training ends and where validation begins: at the end of the text, on another text,
   which is read behind it, or (--val 0) on a part that is trained on, too. */
static void divide_text(Run *run) {
    const Settings *settings = &run->settings;
    Text *text = &run->text;
    size_t length = text->length;
    run->split = run->val_first = (size_t)((double)length * (1 - settings->val));
    if (settings->val_text[0]) {
        Text val = text_read(settings->val_text, settings->strict);
        if (!settings->quiet) text_notice(&val, settings->val_text);
        text->length += val.length;
        text->ids = reallocate(text->ids, text->length, 1, "the text");
        memcpy(text->ids + length, val.ids, val.length);
        free(val.ids);
        run->split = run->val_first = length;
    } else if (settings->val <= 0) {
        run->val_first = length - (length + 9) / 10;
    }
    if (run->split < 2 || run->val_first == text->length)
        fail("%s: %zu characters are too few to train on some and validate on %g of them; give a "
             "longer text or another --val",
             settings->text, length, settings->val);
}

/* What the run will cost. In memory there are the weights, the optimizer's sums and the best model,
   and for each character its bag. */
static Cost cost_of(const Run *run) {
    size_t dim = run->settings.run.dim, rows = run->vocabulary.rows;
    size_t model = model_size(&run->vocabulary, dim);
    size_t sums = (rows + CHARACTERS) * dim * sizeof(float);
    size_t memory = 2 * model + sums + 40 * (run->text.length + rows);
    return (Cost){dim, model, model + sums, memory};
}

/* Finds the rows of the text, and starts the trainer and all that goes with it. */
static void prepare(Run *run, const TensorFile *checkpoint) {
    const Settings *settings = &run->settings;
    Report *report = &run->report;
    const uint8_t *ids = run->text.ids;
    size_t characters_size = CHARACTERS * settings->run.dim * sizeof(float);
    report->large = run->text.length >= 10000000;
    report_text(report, ids, run->text.length, run->split, run->val_first);
    report_doing(report, "listing the rows");
    run->team = team_start((int)settings->threads);
    run->vocabulary = vocabulary_list(ids, run->split, settings->rows);
    run->baselines = baselines_of(ids, run->split);
    Cost cost = cost_of(run);
    report_cost(report, &run->vocabulary, &cost);
    report_baselines(report, &run->baselines);
    run->state.about = describe(run);
    if (settings->resume)
        checkpoint_check(checkpoint, &run->folder, &run->state.about, run->vocabulary.rows,
                         settings->run.dim);
    run->trainer =
        trainer_start(run->team, &run->vocabulary, ids, run->split, settings->run, &stop_signal);
    run->start = allocate(characters_size, 1, "the run");
    memcpy(run->start, run->trainer->model.embedding, characters_size);
    run->state.snapshots = snapshots_start(settings->run.dim);
    run_find_val(run);
    run->started = run->last_save = seconds_now();
    if (settings->resume)
        run_resume(run, checkpoint);
    else
        adopt(run);
    report_doing(report, "looking up the rows of the training part");
    report->large = false;
}

/* ---- the end ----------------------------------------------------------------------------------- */

/* Says what came of the run, and what can be done with it. */
static void summarize(Run *run) {
    Report *report = &run->report;
    const Entry *file = run->folder.file;
    const Standing *standing = &run->state.standing;
    const Model *model =
        run->state.best.model.embedding ? &run->state.best.model : &run->trainer->model;
    if (run->trainer->step < run->trainer->steps)
        report_line(report, "it stopped learning: no better model for %zu evaluations",
                    standing->since_best);
    report_result(report, standing->best_loss, &run->baselines, &run->state.log);
    if (!run->settings.pretrained[0] && !run->settings.init[0])
        report_moves(report, &run->vocabulary, model, run->start);
    report_file(report, file[MODEL], "the best model");
    report_file(report, file[CHECKPOINT], "for --resume");
    report_file(report, file[SNAPSHOTS], "for ./embed report");
    report_file(report, file[LOG], "the losses");
    report_next(report, run->folder.path, file[MODEL].path, run->text.ids, run->split);
}

static void release(Run *run) {
    trainer_end(run->trainer);
    team_end(run->team);
    state_free(&run->state);
    bags_free(&run->val);
    vocabulary_free(&run->vocabulary);
    free(run->start);
    free(run->text.ids);
    folder_close(&run->folder);
    options_free(run->settings.options);
}

int main(int argc, char **argv) {
    Run run = {.state.standing.best_loss = INFINITY};
    Settings *settings = &run.settings;
    Report *report = &run.report;
    TensorFile checkpoint = {0};
    set_program_name(argv[0]);
    set_memory_advice("try a smaller --dim, --order, --batch or --max-rows");
    signal(SIGPIPE, SIG_IGN); /* the reader of the messages may go: the run goes on */
    settings_read(settings, argc, argv);
    *report = report_start(settings->quiet);

    report_doing(report, "reading the text");
    if (strcmp(settings->text, "-") == 0 || access(settings->text, R_OK) == 0) {
        run.folder = folder_open(settings->out); /* a text that is not there leaves no new folder */
        folder_protect(&run.folder, settings->text);
    }
    run.text = text_read(settings->text, settings->strict);
    if (!settings->quiet) text_notice(&run.text, settings->text);
    if (settings->resume)
        checkpoint = checkpoint_open(run.folder.file[CHECKPOINT], settings->options);
    divide_text(&run);
    settings_complete(settings, run.split);
    prepare(&run, &checkpoint);

    run.owns_files = settings->resume || !folder_used(&run.folder);
    folder_clean(&run.folder);
    catch_signals();
    if (run.trainer->step == 0 && run.state.standing.best_loss == INFINITY) run_begin(&run);
    while (!run_is_over(&run)) run_train(&run);
    if (!run_has_diverged(&run) || run.state.best.unsaved) run_save(&run);
    run_require_numbers(&run);

    bool stopped = stop_signal && run.trainer->step < run.trainer->steps;
    if (stopped)
        report_stopped(report, settings->out, settings->text, run.trainer->step,
                       run.trainer->steps);
    else
        summarize(&run);
    tensors_close(&checkpoint);
    release(&run);
    flush_output();
    if (stopped) die_of_signal();
    return 0;
}

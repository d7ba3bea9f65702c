/* train.c: the story of a run, from a text to a model.

       text -> characters -> vocabulary -> bags -> batches -> model -> loss -> files

   Read main first, then lib/run.c; model.h is where the learning happens. */
#include "lib/fail.h"
#include "lib/format.h"
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

static Text read_text(const Run *run, const char *path) {
    report_doing(run, "reading the text");
    Text text = text_read(path, run->settings.strict);
    if (!run->settings.quiet) text_notice(&text, path);
    return text;
}

/* Says where training ends and where validation begins: at the end of the text, on another text,
   which is put behind it, or (--val 0) on a part that is trained on, too. */
static void divide_text(Run *run) {
    const Settings *settings = &run->settings;
    Text *text = &run->text;
    size_t length = text->length;
    char number[64];
    run->split = run->val_first = (size_t)((double)length * (1 - settings->val));
    if (settings->val_text[0]) {
        Text val = read_text(run, settings->val_text);
        text->length += val.length;
        text->ids = reallocate(text->ids, text->length, 1, "the text");
        memcpy(text->ids + length, val.ids, val.length);
        free(val.ids);
        run->split = run->val_first = length;
    } else if (settings->val <= 0) {
        run->val_first = length - (length + 9) / 10;
    }
    if (run->split < 2 || run->val_first == text->length)
        fail("%s: %s: too few to train on some and validate on %g of them; give a longer text or "
             "another --val",
             settings->text, counted(length, "characters", number), settings->val);
}

/* What the files say of the run: its options, its text. */
static Metadata describe(const Run *run) {
    Metadata about = {0};
    char opening[OPENING + 1];
    uint64_t fingerprint = text_fingerprint(run->text.ids, run->text.length);
    for (const Option *option = run->settings.options; option->name; option++) {
        if (option->kind == GROUP || option->not_kept) continue;
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

/* Starts from another model, where one is named. */
static void adopt(Run *run) {
    const Settings *settings = &run->settings;
    bool whole = settings->init[0];
    const char *path = whole ? settings->init : settings->pretrained;
    char some[32], all[64];
    if (!path[0]) return;
    size_t rows = model_adopt(&run->trainer->model, &run->vocabulary, path, whole);
    report_line(run, WHOLE, "start       %s of %s%s from %s", grouped(rows, some),
                counted(run->vocabulary.rows, "rows", all), whole ? " and the linear layer" : "",
                path);
}

/* Starts the trainer, where the checkpoint was when there is one. */
static void start(Run *run, const TensorFile *checkpoint) {
    const Settings *settings = &run->settings;
    size_t dim = settings->run.dim;
    run->state.about = describe(run);
    if (settings->resume)
        checkpoint_check(checkpoint, &run->state.about, run->vocabulary.rows, dim);
    run->team = team_start((int)settings->threads);
    run->trainer = trainer_start(run->team, &run->vocabulary, run->text.ids, run->split,
                                 settings->run, &stop_signal);
    run->state.snapshots = snapshots_start(dim);
    run->started = run->last_save = seconds_now();
    if (!settings->resume) {
        adopt(run);
        return;
    }
    const Log *log = &run->state.log;
    state_resume(&run->state, run->trainer, &run->folder, checkpoint);
    if (log->count) run->started -= log->rows[log->count - 1].seconds;
}

static void release(Run *run) {
    trainer_end(run->trainer);
    team_end(run->team);
    state_free(&run->state);
    bags_free(&run->val);
    vocabulary_free(&run->vocabulary);
    free(run->text.ids);
    folder_close(&run->folder);
    options_free(run->settings.options);
}

int main(int argc, char **argv) {
    Run run = {.state.best_loss = INFINITY};
    Settings *settings = &run.settings;
    TensorFile checkpoint = {0};
    set_program_name(argv[0]);
    set_memory_advice("try a smaller --dim, --order, --batch or --max-rows");
    signal(SIGPIPE, SIG_IGN); /* the reader of the messages may go: the run goes on */
    settings_read(settings, argc, argv);
    run.report = report_start(settings->quiet);

    /* a text that is not there leaves no new folder */
    if (strcmp(settings->text, "-") == 0 || access(settings->text, R_OK) == 0) {
        run.folder = folder_open(settings->out);
        folder_protect(&run.folder, settings->text);
    }
    run.text = read_text(&run, settings->text);
    if (settings->resume)
        checkpoint = checkpoint_open(run.folder.file[CHECKPOINT], settings->options);
    divide_text(&run);
    settings_complete(settings, run.split);
    report_text(&run);

    report_doing(&run, "listing the rows");
    run.vocabulary = vocabulary_list(run.text.ids, run.split, settings->rows);
    run.baselines = baselines_of(run.text.ids, run.split);
    report_rows(&run);
    start(&run, &checkpoint);

    run.owns_files = settings->resume || !folder_used(&run.folder);
    folder_clean(&run.folder);
    catch_signals();
    run_train(&run);

    bool stopped = stop_signal && run.trainer->step < run.trainer->steps;
    if (stopped)
        report_stopped(&run);
    else
        report_result(&run);
    tensors_close(&checkpoint);
    release(&run);
    flush_output();
    if (stopped) {
        signal(stop_signal, SIG_DFL);
        raise(stop_signal); /* a shell that runs several programs stops, too */
    }
    return 0;
}

#include "report.h"

#include "fail.h"
#include "format.h"
#include "run.h"
#include "start.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INDENT = 12, EVALUATIONS_SHOWN = 20 };

/* ---- lines ---- */

Report report_start(bool quiet) {
    const char *terminal = getenv("TERM");
    bool plain = !terminal || strcmp(terminal, "dumb") == 0;
    bool live = !quiet && !plain && isatty(STDERR_FILENO);
    if (live) replace_last_line();
    return (Report){.live = live};
}

/* Columns of the terminal; 80 where unknown. */
static size_t terminal_width(void) {
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

/* Replaces the live line. The last column stays empty: some terminals begin a new line behind
   it. */
static void live_line(const Run *run, const char *line) {
    if (run->report.live) fprintf(stderr, "\r\033[K%.*s", (int)terminal_width() - 1, line);
}

/* Leaves out the last parts of a line, which stand behind two blanks, until it fits. */
static char *fitted(Buffer *line, size_t width) {
    char *text = line->text;
    size_t length = line->length;
    while (length > width) {
        do length--;
        while (length > 0 && strncmp(text + length, "  ", 2) != 0);
        while (length > 0 && text[length - 1] == ' ') length--;
        text[length] = '\0';
    }
    return text;
}

void report_line(const Run *run, Wrap wrap, const char *format, ...) {
    if (run->settings.quiet) return;
    Buffer line = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vadd(&line, format, arguments);
    va_end(arguments);
    if (wrap == FITTED) fitted(&line, terminal_width());
    mask_controls(line.text);
    live_line(run, "");
    size_t width = wrap == WHOLE ? SIZE_MAX : terminal_width();
    print_wrapped(stderr, line.text, width, width < 3 * INDENT ? 2 : INDENT);
    buffer_free(&line);
}

void report_doing(const Run *run, const char *what) {
    live_line(run, what);
    if (!run->report.live && run->report.large) report_line(run, CUT, "%s", what);
}

/* ---- before the run ---- */

void report_text(Run *run) {
    const Text *text = &run->text;
    size_t counts[CHARACTERS] = {0}, occurring = 0;
    char all[64], train[32], val[32], name[8];
    const char *too = run->split > run->val_first ? ", too" : "";
    Buffer names = {0};
    run->report.large = text->length >= 10000000;
    for (size_t i = 0; i < text->length; i++) counts[text->ids[i]]++;
    for (uint8_t id = 0; id < CHARACTERS; id++) {
        if (!counts[id]) continue;
        character_name(character_of(id), name);
        buffer_add(&names, name[1] ? " %s" : "%s", name);
        occurring++;
    }
    report_line(run, CUT, "text        %s: %s to train on, the last %s to validate%s",
                counted(text->length, "characters", all), grouped(run->split, train),
                grouped(text->length - run->val_first, val), too);
    report_line(run, CUT, "characters  %zu of the 100 occur: %s", occurring, names.text);
    buffer_free(&names);
}

/* A number of bytes as people read it: 41.2 KB, 40.2 MB. Returns text [32]. */
static char *sized(size_t bytes, char *text) {
    if (bytes < 100000)
        snprintf(text, 32, "%.1f KB", (double)bytes / 1e3);
    else
        snprintf(text, 32, "%.1f MB", (double)bytes / 1e6);
    return text;
}

void report_rows(const Run *run) {
    const Vocabulary *vocabulary = &run->vocabulary;
    const Baselines *baselines = &run->baselines;
    size_t rows = vocabulary->rows, dim = run->settings.run.dim;
    /* In memory: the weights, the optimizer's sums, the best model, each character's bag, and of
       echoes the table that each thread fills. In the checkpoint: a megabyte of snapshots at most,
       too. */
    size_t model = model_size(vocabulary, dim), sums = (rows + CHARACTERS) * dim * sizeof(float);
    size_t length = run->text.length, bag = rows > vocabulary->end[NGRAM_ROWS] ? 48 : 16;
    size_t memory = 2 * model + sums + bag * length + 40 * rows;
    size_t tables = smaller(run->settings.threads, (size_t)vocabulary->options.echoes);
    memory += 20 * tables * smaller(length, ECHO_WINDOW);
    uint32_t first = 0;
    char a[64], b[32], c[32];
    Buffer kinds = {0};
    for (RowKind kind = 0; kind < ROW_KINDS; first = vocabulary->end[kind++]) {
        uint32_t count = vocabulary->end[kind] - first;
        const char *comma = kind ? "," : ":";
        if (count) buffer_add(&kinds, "%s %s", comma, counted(count, row_kind_name(kind), a));
    }
    report_line(run, CUT, "rows        %s%s", grouped(rows, a), kinds.text);
    buffer_free(&kinds);
    if (vocabulary->min_count > vocabulary->options.min_count)
        report_line(run, CUT,
                    "            --max-rows %s: only strings seen at least %u times have a row",
                    grouped(vocabulary->options.max_rows, a), (unsigned)vocabulary->min_count);
    if (vocabulary->sampled)
        report_line(run, CUT, "            listed from %d parts of 1 MB, spread over the text",
                    LIST_PARTS);
    report_line(run, CUT, "parameters  %s (dim %zu)",
                grouped((rows + CHARACTERS) * dim + CHARACTERS, a), dim);
    report_line(run, CUT, "size        model %s, checkpoint at most %s; in memory about %s",
                sized(model, a), sized(model + sums + 1000000, b), sized(memory, c));
    report_line(run, CUT,
                "baselines   %.3f knows nothing, %.3f frequencies, %.3f pairs (nats/char)",
                baselines->uniform, baselines->unigram, baselines->bigram);
}

/* ---- during the run ---- */

void report_evaluation(Run *run, const LogRow *row, bool best) {
    size_t steps = run->trainer->steps, part = 1 + EVALUATIONS_SHOWN * (row->step + 1) / steps;
    char number[32];
    if (part <= run->report.shown && row->step < steps) return;
    run->report.shown = part;
    report_line(run, FITTED, "epoch %5.2f  train %.4f  val %.4f %c %8.2f s  %13s characters",
                row->epoch, row->train_loss, row->val_loss, best ? '*' : ' ', row->seconds,
                grouped(row->characters, number));
}

static void add_time(Buffer *line, double time) {
    const char *unit = "s";
    if (time >= 36000) {
        time /= 3600;
        unit = "h";
    } else if (time >= 600) {
        time /= 60;
        unit = "min";
    }
    buffer_add(line, time < 10 ? "  %.1f %s left" : "  %.0f %s left", time, unit);
}

char *progress_line(const Run *run, size_t width) {
    static const char bar[] = "####################                    ";
    const RunOptions *options = &run->settings.run;
    const State *state = &run->state;
    const Report *report = &run->report;
    size_t step = run->trainer->step, left = run->trainer->steps - step;
    size_t in_epoch = epoch_steps(run->split, options->batch);
    size_t epoch = smaller(step / in_epoch + 1, options->epochs);
    double done = (double)step / (double)run->trainer->steps;
    double evaluations = ceil((double)(left * run->settings.evaluations) / (double)in_epoch);
    bool known = report->seconds > 0.1;
    double pace = known ? report->seconds / (double)report->steps : 0;
    char speed[32];
    Buffer line = {0};
    buffer_add(&line, "%3.0f%%", 100 * done);
    if (width >= 60) buffer_add(&line, " [%.20s]", bar + 20 - (int)(20 * done));
    if (known) add_time(&line, (double)left * pace + evaluations * report->evaluation_seconds);
    buffer_add(&line, "  train %.3f  best val %.3f  epoch %zu/%zu",
               state->train_sum / (double)state->train_positions, state->best_loss, epoch,
               options->epochs);
    if (known)
        buffer_add(&line, "  %s chars/s", grouped((size_t)((double)options->batch / pace), speed));
    return fitted(&line, width);
}

void report_steps(Run *run, size_t steps, double seconds) {
    Report *report = &run->report;
    double now = seconds_now();
    if (report->measured) {
        report->steps += steps;
        report->seconds += seconds;
    }
    report->measured = true;
    if (!report->live || now - report->last < 0.1) return;
    report->last = now;
    char *line = progress_line(run, terminal_width() - 1);
    live_line(run, line);
    free(line);
}

/* ---- after the run ---- */

/* Why a loss is no better than the frequencies of characters; NULL when it is better. */
static const char *reason(const Run *run) {
    const Log *log = &run->state.log;
    const LogRow *last = &log->rows[log->count - 1];
    double enough = run->baselines.unigram - 0.01;
    if (enough < 0) return "the training part is one character over and over, or nearly so";
    if (run->state.best_loss < enough) return NULL;
    for (size_t i = 1; i < log->count; i++)
        if (log->rows[i].train_loss > log->rows[0].train_loss)
            return "the learning rate is too high: the loss rose in training; try a smaller --lr";
    if (last->step < 1000 && last->train_loss > enough)
        return "too few steps to learn anything: try more --epochs or a smaller --batch";
    return "no better than the frequencies of characters: the end of the text is unlike the rest";
}

/* How many rows moved, and the characters whose rows are furthest from their start. */
static void report_moves(const Run *run) {
    const TensorFile about = {.metadata = run->state.about};
    const Model *model = &run->trainer->model, *best = &run->state.best.model;
    float *start = start_of(&about, model->dim);
    Scored moves[CHARACTERS];
    Buffer names = {0};
    char moved[32], still[32], name[8];
    if (!start) return;
    if (best->embedding) model = best;
    size_t rows = model->rows, unmoved = rank_moves(model, start, moves);
    for (uint32_t row = CHARACTERS; row < rows; row++)
        if (distance_moved(model, start, row) == 0) unmoved++;
    report_line(run, CUT, "rows        %s moved; %s are as they started, bit for bit",
                grouped(rows - unmoved, moved), grouped(unmoved, still));
    for (int i = 0; i < 5 && moves[i].score > 0; i++) {
        character_name(character_of((uint8_t)moves[i].row), name);
        buffer_add(&names, "%s %s by %.2f", i ? "  " : "", name, moves[i].score);
    }
    if (names.length) report_line(run, CUT, "moved most %s", names.text);
    buffer_free(&names);
    free(start);
}

/* A file that was written. */
static void report_file(const Run *run, int file, const char *what) {
    Entry entry = run->folder.file[file];
    struct stat about;
    char size[32];
    if (fstatat(entry.folder, entry.name, &about, 0)) return;
    char *word = shell_word(entry.path);
    sized((size_t)about.st_size, size);
    report_line(run, WHOLE, "file        %s (%s, %s)", word, what, size);
    free(word);
}

/* A command that can be pasted: a program, called as this one was, and its words, of which empty
   ones are left out and NULL is the last. */
static void report_command(const Run *run, const char *label, const char *program,
                           const char *const *words) {
    const char *called = run->settings.program, *slash = strrchr(called, '/');
    Buffer path = {0}, line = {0};
    buffer_add(&path, "%.*s%s", slash ? (int)(slash + 1 - called) : 0, called, program);
    char *word = shell_word(path.text);
    buffer_add(&line, "%-12s%s", label, word);
    for (; *words; words++) {
        free(word);
        word = shell_word(*words);
        if (**words) buffer_add(&line, " %s", word);
    }
    report_line(run, WHOLE, "%s", line.text);
    free(word);
    buffer_free(&path);
    buffer_free(&line);
}

static void report_next(const Run *run) {
    const char *option = "--model", *model = run->folder.file[MODEL].path;
    if (strcmp(run->settings.out, "out") == 0) option = model = "";
    report_command(run, "next", "sample", (const char *[]){option, model, NULL});
    report_command(run, "", "embed", (const char *[]){option, model, NULL});
    report_command(run, "", "embed", (const char *[]){option, model, "report", NULL});
}

void report_kept(const Run *run) {
    char *out = shell_word(run->settings.out);
    report_line(run, CUT, "the run that was here is kept; this command brings it back:");
    report_line(run, WHOLE, "            mv %s/previous/* %s", out, out);
    free(out);
}

void report_result(const Run *run) {
    const Baselines *baselines = &run->baselines;
    const State *state = &run->state;
    double loss = state->best_loss;
    char number[64];
    if (run->settings.quiet) return;
    const char *why = reason(run);
    if (run->trainer->step < run->trainer->steps)
        report_line(run, CUT, "it stopped learning: no better model for %s",
                    counted(state->since_best, "evaluations", number));
    report_line(run, CUT, "%s", "");
    report_line(run, CUT, "val         %.4f nats/char = %.4f bits/char, perplexity %.3f", loss,
                loss / log(2), exp(loss));
    report_line(run, CUT, "            (baselines: %.3f, %.3f, %.3f)", baselines->uniform,
                baselines->unigram, baselines->bigram);
    if (why) report_line(run, CUT, "            %s", why);
    report_moves(run);
    report_file(run, MODEL, "the best model");
    report_file(run, CHECKPOINT, "for --resume");
    report_file(run, SNAPSHOTS, "for embed report");
    report_file(run, LOG, "the losses");
    report_next(run);
}

void report_stopped(const Run *run) {
    const char *out = run->settings.out, *text = run->settings.text;
    const char *dashes = text[0] == '-' && text[1] ? "--" : "";
    char step[32], steps[32];
    report_line(run, CUT, "stopped after batch %s of %s; this command goes on:",
                grouped(run->trainer->step, step), grouped(run->trainer->steps, steps));
    report_command(run, "", "train",
                   (const char *[]){"--resume", "--out", out, dashes, text, NULL});
}

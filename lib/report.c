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

/* ---- lines ------------------------------------------------------------------------------------- */

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

/* Replaces the live line. The last column stays empty: some terminals begin a new line behind it. */
static void live_line(const Run *run, const char *line) {
    if (run->report.live) fprintf(stderr, "\r\033[K%.*s", (int)terminal_width() - 1, line);
}

/* Writes a line and empties it. One wider than `width` is cut at blanks, and indented from there. */
static void write_line(const Run *run, Buffer *line, size_t width) {
    if (run->settings.quiet) {
        buffer_free(line);
        return;
    }
    const char *rest = line->text;
    live_line(run, "");
    mask_controls(line->text);
    size_t indent = width < 3 * INDENT ? 2 : INDENT, room = width;
    while (strlen(rest) > room) {
        size_t cut = room;
        while (cut > 0 && rest[cut] != ' ') cut--;
        if (cut <= indent) cut = room;
        fprintf(stderr, "%.*s\n%*s", (int)cut, rest, (int)indent, "");
        rest += cut + strspn(rest + cut, " ");
        room = width - indent;
    }
    fprintf(stderr, "%s\n", rest);
    buffer_free(line);
}

void report_line(const Run *run, const char *format, ...) {
    Buffer line = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vadd(&line, format, arguments);
    va_end(arguments);
    write_line(run, &line, terminal_width());
}

/* A line that ends in a command, whole, so that it can be pasted. NULL ends the words; empty ones are
   left out. */
static void report_command(const Run *run, const char *label, const char *const *words) {
    Buffer line = {0};
    buffer_add(&line, "%-11s", label);
    for (; *words; words++) {
        char *word = shell_word(*words);
        if (**words) buffer_add(&line, " %s", word);
        free(word);
    }
    write_line(run, &line, SIZE_MAX);
}

/* Adds a part to a line when there is room for it. */
static void add_part(Buffer *line, size_t width, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add_part(Buffer *line, size_t width, const char *format, ...) {
    Buffer part = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vadd(&part, format, arguments);
    va_end(arguments);
    if (line->length + part.length <= width) buffer_add(line, "%s", part.text);
    buffer_free(&part);
}

void report_doing(const Run *run, const char *what) {
    live_line(run, what);
    if (!run->report.live && run->report.large) report_line(run, "%s", what);
}

/* ---- before the run ---------------------------------------------------------------------------- */

void report_text(Run *run) {
    const Text *text = &run->text;
    size_t counts[CHARACTERS] = {0}, occurring = 0;
    char all[64], train[32], val[32], name[8];
    Buffer names = {0};
    run->report.large = text->length >= 10000000;
    for (size_t i = 0; i < text->length; i++) counts[text->ids[i]]++;
    for (uint8_t id = 0; id < CHARACTERS; id++) {
        if (!counts[id]) continue;
        character_name(character_of(id), name);
        buffer_add(&names, name[1] ? " %s" : "%s", name);
        occurring++;
    }
    counted(text->length, "characters", all);
    grouped(run->split, train);
    grouped(text->length - run->val_first, val);
    if (run->split > run->val_first)
        report_line(run, "text        %s, all to train on; val is the loss on the last %s of them",
                    all, val);
    else
        report_line(run, "text        %s: %s to train on, the last %s to validate", all, train,
                    val);
    report_line(run, "characters  %zu of the 100 occur: %s", occurring, names.text);
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
    char a[64], b[32], c[32];
    Buffer kinds = {0};
    uint32_t first = 0;
    for (RowKind kind = 0; kind < ROW_KINDS; first = vocabulary->end[kind++]) {
        if (vocabulary->end[kind] == first) continue;
        counted(vocabulary->end[kind] - first, row_kind_name(kind), a);
        buffer_add(&kinds, "%s %s", kind ? "," : ":", a);
    }
    report_line(run, "rows        %s%s", grouped(rows, a), kinds.text);
    buffer_free(&kinds);
    if (vocabulary->min_count > vocabulary->options.min_count)
        report_line(run,
                    "            --max-rows %s: only strings seen at least %u times have a row",
                    grouped(vocabulary->options.max_rows, a), (unsigned)vocabulary->min_count);
    if (vocabulary->sampled)
        report_line(run, "            listed from %d parts of 1 MB, spread over the text",
                    LIST_PARTS);
    grouped((rows + CHARACTERS) * dim + CHARACTERS, a);
    report_line(run, "parameters  %s (dim %zu)", a, dim);
    /* In memory: the weights, the optimizer's sums, the best model, each character's bag. */
    size_t model = model_size(vocabulary, dim), sums = (rows + CHARACTERS) * dim * sizeof(float);
    sized(model, a);
    sized(model + sums, b);
    sized(2 * model + sums + 40 * (run->text.length + rows), c);
    report_line(run, "size        model %s, checkpoint %s; in memory about %s", a, b, c);
    report_line(run, "baselines   %.3f knows nothing, %.3f frequencies, %.3f pairs (nats/char)",
                baselines->uniform, baselines->unigram, baselines->bigram);
}

void report_adopted(const Run *run, const char *path, size_t rows, bool linear) {
    char some[32], all[64];
    grouped(rows, some);
    counted(run->vocabulary.rows, "rows", all);
    report_line(run, "start       %s of %s%s from %s", some, all,
                linear ? " and the linear layer" : "", path);
}

/* ---- during the run ---------------------------------------------------------------------------- */

void report_evaluation(Run *run, const LogRow *row, bool best) {
    size_t steps = run->trainer->steps, part = 1 + EVALUATIONS_SHOWN * (row->step + 1) / steps;
    size_t width = terminal_width();
    char number[32];
    Buffer line = {0};
    if (part <= run->report.shown && row->step < steps) return;
    run->report.shown = part;
    add_part(&line, width, "epoch %5.2f", row->epoch);
    add_part(&line, width, "  train %.4f", row->train_loss);
    add_part(&line, width, "  val %.4f %c", row->val_loss, best ? '*' : ' ');
    add_part(&line, width, " %8.2f s", row->seconds);
    add_part(&line, width, "  %13s characters", grouped(row->characters, number));
    write_line(run, &line, width);
}

static void add_time(Buffer *line, size_t width, double seconds) {
    if (seconds < 10)
        add_part(line, width, "  %.1f s left", seconds);
    else if (seconds < 600)
        add_part(line, width, "  %.0f s left", seconds);
    else if (seconds < 36000)
        add_part(line, width, "  %.0f min left", seconds / 60);
    else
        add_part(line, width, "  %.0f h left", seconds / 3600);
}

static void add_speed(Buffer *line, size_t width, double speed) {
    char number[32];
    if (speed >= 1e6)
        add_part(line, width, "  %.2f M chars/s", speed / 1e6);
    else
        add_part(line, width, "  %s chars/s", grouped((size_t)speed, number));
}

char *progress_line(const Run *run, size_t width) {
    static const char bar[] = "####################                    ";
    const RunOptions *options = &run->settings.run;
    const Standing *standing = &run->state.standing;
    const Report *report = &run->report;
    size_t step = run->trainer->step, left = run->trainer->steps - step;
    size_t in_epoch = epoch_steps(run->split, options->batch), epoch = step / in_epoch + 1;
    double done = (double)step / (double)run->trainer->steps;
    double evaluations = ceil((double)(left * run->settings.evaluations) / (double)in_epoch);
    bool known = report->seconds > 0.1;
    double step_seconds = known ? report->seconds / (double)report->steps : 0;
    Buffer line = {0};
    add_part(&line, width, "%3.0f%%", 100 * done);
    if (width >= 60) add_part(&line, width, " [%.20s]", bar + 20 - (int)(20 * done));
    if (known)
        add_time(&line, width,
                 (double)left * step_seconds + evaluations * report->evaluation_seconds);
    add_part(&line, width, "  train %.3f", standing->train_sum / (double)standing->train_positions);
    add_part(&line, width, "  best val %.3f", standing->best_loss);
    if (epoch > options->epochs) epoch = options->epochs;
    add_part(&line, width, "  epoch %zu/%zu", epoch, options->epochs);
    if (known) add_speed(&line, width, (double)options->batch / step_seconds);
    return line.text;
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

/* ---- after the run ----------------------------------------------------------------------------- */

/* Why a loss is no better than the frequencies of characters; NULL when it is better. */
static const char *reason(const Run *run) {
    const Log *log = &run->state.log;
    double enough = run->baselines.unigram - 0.01;
    const LogRow *last = &log->rows[log->count - 1];
    if (enough < 0) return "the training part is one character over and over, or nearly so";
    if (run->state.standing.best_loss < enough) return NULL;
    for (size_t i = 1; i < log->count; i++)
        if (log->rows[i].train_loss > log->rows[0].train_loss)
            return "the learning rate is too high, for the loss rose in training: try a smaller "
                   "--lr";
    if (last->step < 1000 && last->train_loss > enough)
        return "too few steps to learn anything: try more --epochs or a smaller --batch";
    return "no better than the frequencies of characters: the end of the text is unlike the rest";
}

/* How many rows moved, and the characters whose rows are furthest from their start. */
static void report_moves(const Run *run) {
    SavedModel saved = {.model = run->trainer->model};
    Start start = {.known = true, .model.embedding = run->start};
    Scored moves[CHARACTERS];
    Buffer names = {0};
    char moved[32], still[32], name[8];
    if (run->state.best.model.embedding) saved.model = run->state.best.model;
    size_t rows = saved.model.rows, unmoved = rank_moves(&saved, &start, moves);
    for (uint32_t row = CHARACTERS; row < rows; row++)
        if (distance_moved(&saved, &start, row) == 0) unmoved++;
    report_line(run, "rows        %s moved; %s are as they started, bit for bit",
                grouped(rows - unmoved, moved), grouped(unmoved, still));
    for (int i = 0; i < 5 && moves[i].score > 0; i++) {
        character_name(character_of((uint8_t)moves[i].row), name);
        buffer_add(&names, "%s %s by %.2f", i ? "  " : "", name, moves[i].score);
    }
    if (names.length) report_line(run, "moved most %s", names.text);
    buffer_free(&names);
}

static void report_file(const Run *run, int file, const char *what) {
    Entry entry = run->folder.file[file];
    struct stat about;
    char size[32];
    Buffer line = {0};
    if (fstatat(entry.folder, entry.name, &about, 0)) return;
    char *word = shell_word(entry.path);
    buffer_add(&line, "file        %s (%s, %s)", word, what, sized((size_t)about.st_size, size));
    write_line(run, &line, SIZE_MAX);
    free(word);
}

/* How the user calls another one of the programs: from the same folder. To be freed. */
static char *program(const Run *run, const char *name) {
    Buffer path = {0};
    const char *train = run->settings.program, *slash = strrchr(train, '/');
    buffer_add(&path, "%.*s%s", slash ? (int)(slash + 1 - train) : 0, train, name);
    return path.text;
}

/* A few words of the training part, from its middle on: the beginning of a line where it has lines,
   else of a word. */
static void find_prompt(const uint8_t *ids, size_t length, char prompt[17]) {
    size_t first = length / 2, count = 0;
    while (first > 0 && character_of(ids[first]) == '\n') first--;
    while (first > 0 && character_of(ids[first - 1]) != '\n') first--;
    for (size_t i = first; i < length && count < 16; i++) {
        char c = character_of(ids[i]);
        if (c < ' ') break;
        prompt[count++] = c;
    }
    prompt[count] = '\0';
    char *space = strrchr(prompt, ' ');
    if (count == 16 && space > prompt) *space = '\0';
}

static void report_next(const Run *run) {
    bool is_default = strcmp(run->settings.out, "out") == 0;
    const char *option = is_default ? "" : "--model";
    const char *model = is_default ? "" : run->folder.file[MODEL].path;
    char prompt[17], *sample = program(run, "sample"), *embed = program(run, "embed");
    find_prompt(run->text.ids, run->split, prompt);
    const char *dashes = prompt[0] == '-' ? "--" : "";
    report_command(run, "next", (const char *[]){sample, option, model, dashes, prompt, NULL});
    report_command(run, "", (const char *[]){embed, option, model, NULL});
    report_command(run, "", (const char *[]){embed, option, model, "report", NULL});
    free(sample);
    free(embed);
}

void report_kept(const Run *run) {
    char *out = shell_word(run->settings.out);
    Buffer line = {0};
    report_line(run, "the run that was here is kept; this command brings it back:");
    buffer_add(&line, "            mv %s/previous/* %s", out, out);
    write_line(run, &line, SIZE_MAX);
    free(out);
}

void report_result(const Run *run) {
    const Baselines *baselines = &run->baselines;
    double loss = run->state.standing.best_loss;
    char number[64];
    if (run->settings.quiet) return;
    const char *why = reason(run);
    counted(run->state.standing.since_best, "evaluations", number);
    if (run->trainer->step < run->trainer->steps)
        report_line(run, "it stopped learning: no better model for %s", number);
    report_line(run, "%s", "");
    report_line(run, "val         %.4f nats/char = %.4f bits/char, perplexity %.3f", loss,
                loss / log(2), exp(loss));
    report_line(run, "            (baselines: %.3f, %.3f, %.3f)", baselines->uniform,
                baselines->unigram, baselines->bigram);
    if (why) report_line(run, "            %s", why);
    if (!run->settings.pretrained[0] && !run->settings.init[0]) report_moves(run);
    report_file(run, MODEL, "the best model");
    report_file(run, CHECKPOINT, "for --resume");
    report_file(run, SNAPSHOTS, "for embed report");
    report_file(run, LOG, "the losses");
    report_next(run);
}

void report_stopped(const Run *run) {
    const Settings *settings = &run->settings;
    char step[32], steps[32];
    const char *dashes = settings->text[0] == '-' && settings->text[1] ? "--" : "";
    char *train = program(run, "train");
    report_line(run, "stopped after batch %s of %s; this command goes on:",
                grouped(run->trainer->step, step), grouped(run->trainer->steps, steps));
    report_command(
        run, "",
        (const char *[]){train, "--resume", "--out", settings->out, dashes, settings->text, NULL});
    free(train);
}

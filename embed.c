/* embed.c: look at the embedding: its rows, their neighbours, how far each moved, what each makes likely. */
#include "model.h"

#include "lib/checkpoint.h"
#include "lib/fail.h"
#include "lib/export.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/page.h"
#include "lib/projection.h"
#include "lib/report.h"
#include "lib/start.h"
#include "lib/sampling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char usage[] = "embed [OPTIONS] [VERB ...]: looks at the embedding of a model that train wrote\n"
                            "\nVerbs\n"
                            "  (none)            what is in the file, and a map of the characters     embed\n"
                            "  row TEXT          a row: numbers, how far it moved, what it predicts   embed row a\n"
                            "  near TEXT         the rows that point the same way (cosine)            embed near \"the \"\n"
                            "  moved             every character by how far it moved                  embed moved\n"
                            "  compare A B       cosine of two vocabulary' summed rows                  embed compare \"to be\" \"or not\"\n"
                            "  export            files for other programs (see --format)              embed export --format vec\n"
                            "  report            report.html: the map as it moves, and more           embed report\n";
static const char examples[] = "TEXT is a character (a, space, \\n), an n-gram (\"the \"), or another row's name as near prints it, in the shell's\n"
                               "quotes: '^\"of t\"' (a phrase, from the start of a word), \"echo 4: n\", \"column 12\"; for near and compare also any\n"
                               "text: the sum of its rows.\n";

static const char default_model[] = "out/model.safetensors";

typedef struct {
    size_t count; /* 0: what the verb takes */
    bool any;
    const char *model, *format, *out;
} Settings;

/* ---- what a text stands for ------------------------------------------------------------------- */

typedef struct {
    uint32_t row;  /* NO_ROW: not one row but a sum */
    double *vector; /* [dim]: sums of floats of any size are finite */
    char name[ROW_NAME];
} Subject;

/* Adds a row to a vector; fails when the row holds a number that is not finite. */
static void add_row(const SavedModel *saved, uint32_t row, double *vector) {
    const float *numbers = saved->model.embedding + row * saved->model.dim;
    require_finite(numbers, saved->model.dim);
    for (size_t d = 0; d < saved->model.dim; d++) vector[d] += (double)numbers[d];
}

/* The sum of the rows that a context switches on. */
static void sum_of_context(const SavedModel *saved, const uint8_t *ids, size_t length,
                           double *vector) {
    Stream *stream = stream_start(&saved->vocabulary);
    uint32_t rows[MAX_BAG] = {0};
    for (size_t i = 0; i < length; i++) stream_push(stream, ids[i]);
    size_t count = stream_rows(stream, rows);
    for (size_t i = 0; i < count; i++) add_row(saved, rows[i], vector);
    stream_end(stream);
}

/* The text's row; without one, or where the sum is wanted, the sum of what it switches on as a context. */
static Subject find_subject(const SavedModel *saved, const char *text, bool sum_wanted) {
    Subject subject = {NO_ROW, allocate(saved->model.dim, sizeof(double), "a row"), ""};
    uint8_t *ids = allocate(strlen(text) + 1, 1, "a text");
    if (!sum_wanted) subject.row = named_row(&saved->vocabulary, text);
    if (subject.row != NO_ROW) {
        add_row(saved, subject.row, subject.vector);
        row_name(&saved->vocabulary, subject.row, subject.name);
    } else {
        size_t length = unescaped(text, ids);
        if (length == 0) fail("\"%s\" has a byte that is not one of the 100 printable characters, or nothing in it; see --help", text);
        sum_of_context(saved, ids, length, subject.vector);
        snprintf(subject.name, sizeof subject.name, "the sum for \"%.60s\"", text);
    }
    free(ids);
    return subject;
}

/* Of floats and their sums: their squares are doubles. */
static double norm(const double *vector, size_t dim) {
    double sum = 0;
    for (size_t d = 0; d < dim; d++) sum += vector[d] * vector[d];
    return sqrt(sum);
}

/* Cosine of the angle between two vectors; 0 when one of them is zero. */
static double cosine(const double *a, const double *b, size_t dim) {
    double product = 0, length = norm(a, dim) * norm(b, dim);
    for (size_t d = 0; d < dim; d++) product += a[d] * b[d];
    return length > 0 ? product / length : 0;
}

/* ---- verbs ------------------------------------------------------------------------------------ */

static const char *told(const SavedModel *saved, const char *key) {
    const char *value = metadata_find(&saved->file, key);
    return value ? value : "not told";
}

static const char *told_count(const SavedModel *saved, const char *key, char *number) {
    return metadata_find(&saved->file, key) ? grouped(metadata_count(&saved->file, key), number) : "not told";
}

static size_t terminal_columns(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 40) return 80;
    return size.ws_col < 160 ? size.ws_col : 160;
}

#define KEPT_FREE '\x7f' /* a blank beside a name of several letters, so that no other mark joins it */

/* What stands for a character on the map: its name. */
static char *mark_of(uint32_t id, char *mark) {
    char name[8];
    character_name(character_of((uint8_t)id), name);
    if (name[1]) sprintf(mark, "%c%s%c", KEPT_FREE, name, KEPT_FREE);
    else strcpy(mark, name);
    return mark;
}

/* The characters that occur, by their names, on the plane on which their rows differ most. Names that would cover
   another take the nearest free place. */
static void print_map(const SavedModel *saved) {
    enum { HEIGHT = 24, MOST = 160 };
    uint32_t rows[CHARACTERS];
    size_t count = characters_seen(saved, rows), width = terminal_columns() - 2;
    double x[CHARACTERS] = {0}, y[CHARACTERS] = {0}, low[2] = {1e300, 1e300}, high[2] = {-1e300, -1e300};
    char grid[HEIGHT][MOST + 1];
    Projection projection = projection_make(saved->model.embedding, saved->model.dim, rows, count);
    for (size_t i = 0; i < count; i++) {
        project(&projection, saved->model.embedding + rows[i] * saved->model.dim, &x[i], &y[i]);
        low[0] = fmin(low[0], x[i]), high[0] = fmax(high[0], x[i]);
        low[1] = fmin(low[1], y[i]), high[1] = fmax(high[1], y[i]);
    }
    memset(grid, ' ', sizeof grid);
    for (int l = 0; l < HEIGHT; l++) grid[l][width] = '\0';
    for (size_t i = count; i-- > 0;) { /* long names first: white space comes last in the table */
        int column = high[0] > low[0] ? (int)((x[i] - low[0]) / (high[0] - low[0]) * (double)(width - 1)) : (int)width / 2;
        int line = high[1] > low[1] ? (int)((high[1] - y[i]) / (high[1] - low[1]) * (HEIGHT - 1)) : HEIGHT / 2;
        char name[12];
        int wide = (int)strlen(mark_of(rows[i], name)), best_line = 0, best_column = -1, best = 1 << 30;
        for (int l = 0; l < HEIGHT; l++)
            for (int c = 0; c + wide <= (int)width; c++) {
                int across = c + wide / 2 - column, away = 4 * (l - line) * (l - line) + across * across; /* a line is as high as two columns are wide */
                if (away < best && (int)strspn(&grid[l][c], " ") >= wide) best = away, best_line = l, best_column = c;
            }
        if (best_column >= 0) memcpy(&grid[best_line][best_column], name, (size_t)wide);
    }
    printf("\nmap of the %zu characters seen (%.0f%% of their rows' variance across, %.0f%% along)\n\n", count, 100 * projection.share[0],
           100 * projection.share[1]);
    for (int l = 0; l < HEIGHT; l++) {
        size_t end = width;
        for (size_t c = 0; c < width; c++)
            if (grid[l][c] == KEPT_FREE) grid[l][c] = ' ';
        while (end > 0 && grid[l][end - 1] == ' ') end--;
        printf("  %.*s\n", (int)end, grid[l]);
    }
    projection_free(&projection);
}

static void print_file(const SavedModel *saved, const Settings *settings) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    char a[32], b[32];
    printf("file        %s, %.1f MB\n", settings->model, (double)saved->file.size / 1e6);
    printf("model       order %s, dim %zu, seed %s, version %s\n", told(saved, "order"), saved->model.dim, told(saved, "seed"), told(saved, "version"));
    printf("rows        %s: 100 characters, %s n-grams", grouped(vocabulary->rows, a), grouped(vocabulary->end[NGRAM_ROWS] - CHARACTERS, b));
    printf(",\n            %s phrases, %d echoes, %u columns\n", grouped(vocabulary->end[PHRASE_ROWS] - vocabulary->end[NGRAM_ROWS], a), vocabulary->options.echoes * CHARACTERS,
           (unsigned)(vocabulary->rows - vocabulary->end[ECHO_ROWS]));
    printf("trained     on %s characters, %s epochs in batches of %s by %s\n", told_count(saved, "train_characters", a), told(saved, "epochs"),
           told_count(saved, "batch", b), told(saved, "optimizer"));
    printf("held out    %s nats/char\n", told(saved, "val_loss"));
    printf("yardsticks  4.605 knows nothing, %s frequencies, %s pairs\n", told(saved, "unigram_entropy"), told(saved, "conditional_entropy"));
    print_map(saved);
}

/* A tensor as PyTorch prints it: four decimals, lines of at most 80 columns. */
static void print_numbers(const double *numbers, size_t count) {
    printf("tensor([");
    for (size_t i = 0; i < count; i++)
        printf("%8.4f%s", numbers[i], i + 1 == count ? "])\n" : i % 7 == 6 ? ",\n        " : ",");
}

static _Noreturn void no_row(const char *text, const Settings *settings) {
    bool elsewhere = strcmp(settings->model, default_model) != 0;
    fail("\"%s\" has no row in this model; ./embed%s%s near %s shows what is near the sum of its rows", text, elsewhere ? " --model " : "",
         elsewhere ? shell_word(settings->model) : "", shell_word(text));
}

static void print_row(const SavedModel *saved, const char *text, const Settings *settings) {
    enum { SHOWN = 8 };
    char number[32];
    Subject subject = find_subject(saved, text, false);
    if (subject.row == NO_ROW) no_row(text, settings);
    size_t dim = saved->model.dim;
    printf("row %u, %s\n", (unsigned)subject.row, subject.name);
    print_numbers(subject.vector, dim);
    printf("norm %.4f, seen %s times in training", norm(subject.vector, dim), grouped(saved->vocabulary.count[subject.row], number));
    Start start = start_of(saved);
    if (start.known) printf(", moved %.4f from its start\n", distance_moved(saved, &start, subject.row));
    else printf("; its start is not known (--pretrained, or the file does not tell)\n");
    double logits[CHARACTERS] = {0};
    Candidate candidates[CHARACTERS];
    for (size_t c = 0; c < CHARACTERS; c++)
        for (size_t d = 0; d < dim; d++)
            logits[c] += (double)saved->model.linear[c * dim + d] * subject.vector[d];
    rank_characters(logits, candidates);
    printf("what it adds to the logits\n");
    for (int i = 0; i < SHOWN; i++) {
        char up[8], down[8];
        const Candidate *most = &candidates[i], *least = &candidates[CHARACTERS - 1 - i];
        printf("  %-6s %+8.3f      %-6s %+8.3f\n", character_name(character_of(most->id), up),
               most->value, character_name(character_of(least->id), down), least->value);
    }
    start_free(&start);
    free(subject.vector);
}

typedef struct {
    uint32_t row;
    double cosine;
} Near;

static int nearer(const void *a, const void *b) {
    const Near *x = a, *y = b;
    if (x->cosine != y->cosine) return x->cosine > y->cosine ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

static void print_near(const SavedModel *saved, const char *text, const Settings *settings) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    size_t dim = saved->model.dim, found = 0;
    Subject subject = find_subject(saved, text, false);
    RowKind kind = subject.row == NO_ROW ? ROW_KINDS : row_kind(vocabulary, subject.row);
    Near *near = allocate(vocabulary->rows, sizeof *near, "the neighbours");
    double *vector = allocate(dim, sizeof *vector, "a row");
    for (uint32_t row = 0; row < vocabulary->rows; row++) {
        if (row == subject.row || (!settings->any && kind != ROW_KINDS && row_kind(vocabulary, row) != kind)) continue;
        if (row < CHARACTERS && vocabulary->count[row] == 0) continue; /* never moved: where it points is chance */
        for (size_t d = 0; d < dim; d++) vector[d] = (double)saved->model.embedding[row * dim + d];
        double similarity = cosine(subject.vector, vector, dim);
        if (isfinite(similarity)) near[found++] = (Near){row, similarity};
    }
    if (found) qsort(near, found, sizeof *near, nearer);
    printf("near %s, among %s\n", subject.name, settings->any || kind == ROW_KINDS ? "all rows" : row_kind_name(kind));
    if (subject.row < CHARACTERS && vocabulary->count[subject.row] == 0) printf("  (never seen in training: its row is what it was at the start)\n");
    for (size_t i = 0; i < found && i < (settings->count ? settings->count : 12); i++) {
        char name[ROW_NAME], number[32];
        printf("  %+.4f  %-24s seen %s times\n", near[i].cosine, row_name(vocabulary, near[i].row, name), grouped(vocabulary->count[near[i].row], number));
    }
    free(near);
    free(vector);
    free(subject.vector);
}

static void print_moved(const SavedModel *saved) {
    Start start = start_of(saved);
    if (!start.known)
        fail("this model started from another one's rows (--pretrained), or its file does not tell "
             "where: how far they moved is not known");
    double distance[CHARACTERS];
    Candidate order[CHARACTERS];
    size_t still = 0, bar = terminal_columns() - 40;
    for (uint32_t c = 0; c < CHARACTERS; c++) distance[c] = distance_moved(saved, &start, c);
    rank_characters(distance, order);
    printf("how far backpropagation moved each character's row from where the seed put it\n");
    for (int i = 0; i < CHARACTERS; i++) {
        char name[8], number[32], marks[200];
        size_t length = order[0].value > 0
                            ? (size_t)((double)bar * (order[i].value / order[0].value) + 0.5)
                            : 0;
        memset(marks, '#', length);
        still += order[i].value == 0;
        printf("  %-6s %8.4f  seen %9s%s%.*s\n", character_name(character_of(order[i].id), name),
               order[i].value, grouped(saved->vocabulary.count[order[i].id], number),
               length ? "  " : "", (int)length, marks);
    }
    printf("%zu rows did not move by one bit\n", still);
    start_free(&start);
}

static void print_comparison(const SavedModel *saved, const char *a, const char *b) {
    Subject one = find_subject(saved, a, true), other = find_subject(saved, b, true);
    printf("cosine %+.6f between %s and %s\n", cosine(one.vector, other.vector, saved->model.dim), one.name, other.name);
    free(one.vector);
    free(other.vector);
}

int main(int argc, char **argv) {
    Settings settings = {.model = default_model, .format = "tsv", .out = ""};
    const char *words[3] = {"", "", ""};
    Option table[] = {{GROUP, .name = "Options"},
                      {TEXT, "model", 'm', &settings.model, 0, 0, "FILE", "the model"},
                      {COUNT, "count", 'n', &settings.count, 1, 1e9, "N", "near: rows to show (default 12); export: rows to write, the 100 characters and the most frequent (default 10,000)"},
                      {FLAG, "any", 'a', &settings.any, 0, 1, NULL, "near: rows of any kind, not only of the same"},
                      {TEXT, "format", 'f', &settings.format, 0, 0, "NAME", "export: tsv, vec, npy, csv or map"},
                      {TEXT, "out", 'o', &settings.out, 0, 0, "DIR", "where export and report write (default: the model's folder)"},
                      {0}};
    set_program_name(argv[0]);
    size_t given = parse_options(argc, argv, table, usage, examples, words, 3);
    static const struct { const char *verb; size_t words; const char *options; } verbs[] = {
        {"row", 2, ""}, {"near", 2, "count any"}, {"moved", 1, ""}, {"compare", 3, ""}, {"export", 1, "count format out"}, {"report", 1, "out"}};
    size_t wanted = 0;
    const char *takes = "";
    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
        if (!strcmp(words[0], verbs[v].verb)) wanted = verbs[v].words, takes = verbs[v].options;
    if (given && !wanted) wrong_use("\"%s\" is no verb; see --help", words[0]);
    for (const Option *option = table; option->name; option++)
        if (option->given && option->value != &settings.model && !strstr(takes, option->name))
            wrong_use("--%s does nothing for %s; leave it out; see --help", option->name, given ? words[0] : "embed without a verb");
    if (given != wanted) wrong_use("%s takes %zu argument%s after it; see --help", words[0], wanted - 1, wanted == 2 ? "" : "s");
    SavedModel saved = model_open(settings.model);
    require_finite(saved.model.embedding, CHARACTERS * saved.model.dim);
    require_finite(saved.model.linear, linear_size(saved.model.dim));
    require_finite(saved.model.bias, CHARACTERS);
    char folder[4096];
    const char *slash = strrchr(settings.model, '/');
    int length = settings.out[0] ? snprintf(folder, sizeof folder, "%s", settings.out)
                                 : snprintf(folder, sizeof folder, "%.*s",
                                            slash ? (int)(slash - settings.model) : 1,
                                            slash ? settings.model : ".");
    if (length >= (int)sizeof folder) fail("%s: this name is too long", settings.out);
    if (!given) print_file(&saved, &settings);
    else if (!strcmp(words[0], "row")) print_row(&saved, words[1], &settings);
    else if (!strcmp(words[0], "near")) print_near(&saved, words[1], &settings);
    else if (!strcmp(words[0], "moved")) print_moved(&saved);
    else if (!strcmp(words[0], "compare")) print_comparison(&saved, words[1], words[2]);
    else if (!strcmp(words[0], "export")) export_rows(&saved, settings.format, folder, settings.count ? settings.count : 10000);
    else page_write(&saved, settings.model, folder);
    model_close(&saved);
    if (fflush(stdout)) fail("standard output cannot be written");
    return 0;
}

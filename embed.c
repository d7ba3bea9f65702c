/* embed.c: looks at the embedding: its rows, their neighbours, how far each moved, what each makes
   likely. */
#include "lib/export.h"
#include "lib/fail.h"
#include "lib/format.h"
#include "lib/options.h"
#include "lib/page.h"
#include "lib/projection.h"
#include "lib/sentence.h"
#include "lib/start.h"
#include "lib/text.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char usage[] =
    "embed [OPTIONS] [VERB ...]: looks at the embedding of a model that train wrote\n"
    "\nVerbs\n"
    "  (none)        the model in short, and a map of the characters\n"
    "  row TEXT      a row: its numbers, how far it moved, what it makes likely\n"
    "  near TEXT     the rows that point the same way, by cosine\n"
    "  moved         every character by how far training moved its row\n"
    "  compare A B   two texts, by the cosine of their vectors; also --pairs FILE\n"
    "  lines F TEXT  the lines of file F that are nearest to a text\n"
    "  export        files for other programs, see --format\n"
    "  report        report.html: the map as it moves, and more\n";
static const char examples[] =
    "TEXT is a character (a, space, \\n), an n-gram (\"the \") or the name of another\n"
    "row as near prints it, in the shell's quotes: '^\"of t\"' (a phrase, from where a\n"
    "word begins), \"echo 3: n\", \"column 12\"; for near also any other text, which\n"
    "stands for the sum of the rows in its bag; for compare and lines any text.\n"
    "\nExamples\n"
    "  embed row a             embed near \"the \"       embed compare \"to be\" \"or not\"\n"
    "  embed export --format vec    embed report      embed moved\n";

static const char default_model[] = "out/model.safetensors";

/* What a verb gets: the options, the texts after it, the model. */
typedef struct {
    size_t count;
    bool any;
    const char *path, *folder, *name; /* the model's; the folder it is in; its name there */
    const char *format, *out, *pairs;
    const char *words[3];
    SavedModel saved;
} Look;

static size_t terminal_columns(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 40) return 80;
    return size.ws_col < 160 ? size.ws_col : 160;
}

/* ---- the model in short ---------------------------------------------------------------------- */

enum { MAP_LINES = 24, MAX_COLUMNS = 160 };
#define KEPT_FREE '\x7f' /* beside a name of several letters, so that no other mark joins it */

/* Puts a mark at the nearest free place of the grid, nowhere when none is free. A line is as high
   as two columns are wide. */
static void put_mark(char grid[MAP_LINES][MAX_COLUMNS + 1], int width, const char *mark, int line,
                     int column) {
    int wide = (int)strlen(mark), best = INT_MAX;
    char *place = NULL;
    for (int l = 0; l < MAP_LINES; l++)
        for (int c = 0; c + wide <= width; c++) {
            int down = l - line, across = c + wide / 2 - column;
            int away = 4 * down * down + across * across;
            if (away >= best || (int)strspn(&grid[l][c], " ") < wide) continue;
            best = away;
            place = &grid[l][c];
        }
    while (place && *mark) *place++ = *mark++;
}

/* The characters that occur, by their names, on the plane on which their rows differ most. Long
   names come first (white space is last in the table). */
static void describe_map(const SavedModel *saved, size_t columns, Buffer *out) {
    Plane plane = plane_of(saved);
    int width = (int)columns - 2;
    char grid[MAP_LINES][MAX_COLUMNS + 1] = {{0}}, number[48];
    for (int l = 0; l < MAP_LINES; l++) memset(grid[l], ' ', width);
    for (size_t i = plane.count; i-- > 0;) {
        char name[8], mark[12];
        double at[2]; /* from 0, left and below, to 1 */
        for (int a = 0; a < 2; a++) {
            double wide = plane.width[a];
            at[a] = wide > 0 ? (plane.at[i][a] - plane.low[a]) / wide : 0.5;
        }
        character_name(character_of(plane.id[i]), name);
        snprintf(mark, sizeof mark, name[1] ? "\x7f%s\x7f" : "%s", name);
        put_mark(grid, width, mark, (1 - at[1]) * (MAP_LINES - 1), at[0] * (width - 1));
    }
    buffer_add(out, "\nmap of the %s seen ", counted(plane.count, "characters", number));
    buffer_add(out, "(%.0f%% of their rows' variance across, %.0f%% along)\n\n",
               100 * plane.share[0], 100 * plane.share[1]);
    for (int l = 0; l < MAP_LINES; l++) {
        for (char *c = grid[l]; *c; c++)
            if (*c == KEPT_FREE) *c = ' ';
        int end = width;
        while (end > 0 && grid[l][end - 1] == ' ') end--;
        buffer_add(out, "  %.*s\n", end, grid[l]);
    }
}

/* A label, and the value of a key in the file's metadata. */
static void add_setting(Buffer *out, const SavedModel *saved, const char *label, const char *key) {
    Buffer printed = {0};
    const char *value = metadata_find(&saved->file, key);
    buffer_add(out, "%s%.40s", label, value ? shown(value, &printed) : "unknown");
    buffer_free(&printed);
}

static void describe_model(const SavedModel *saved, const char *path, size_t columns, Buffer *out) {
    static const char *const after[ROW_KINDS] = {", ", ",\n            ", ", ", ", ", "\n"};
    const Vocabulary *vocabulary = &saved->vocabulary;
    char number[48];
    Buffer printed = {0};
    buffer_add(out, "file        %s, %.1f MB\n", shown(path, &printed), saved->file.size / 1e6);
    buffer_add(out, "model       dim %zu", saved->model.dim);
    add_setting(out, saved, ", order ", "order");
    add_setting(out, saved, ", seed ", "seed");
    add_setting(out, saved, ", version ", "version");
    buffer_add(out, "\nrows        %s: ", grouped(vocabulary->rows, number));
    uint32_t begin = 0;
    for (RowKind kind = CHARACTER_ROWS; kind < ROW_KINDS; begin = vocabulary->end[kind++])
        buffer_add(out, "%s%s", counted(vocabulary->end[kind] - begin, row_kind_name(kind), number),
                   after[kind]);
    buffer_add(out, "trained     on %s",
               counted(metadata_count(&saved->file, "train_characters"), "characters", number));
    add_setting(out, saved, ", epochs ", "epochs");
    buffer_add(out, ", batch %s", grouped(metadata_count(&saved->file, "batch"), number));
    add_setting(out, saved, ", ", "optimizer");
    add_setting(out, saved, "\nvalidation  ", "val_loss");
    add_setting(out, saved, " nats/char\nbaselines   4.605 knows nothing, ", "unigram_entropy");
    add_setting(out, saved, " frequencies, ", "conditional_entropy");
    buffer_add(out, " pairs\n");
    describe_map(saved, columns, out);
    buffer_free(&printed);
}

static void show_model(const Look *look) {
    Buffer text = {0};
    describe_model(&look->saved, look->path, terminal_columns(), &text);
    printf("%s\nverbs       row, near, moved, compare, lines, export, report; see --help\n",
           text.text);
    buffer_free(&text);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* An argument, in which \n and the like stand for characters. Free its ids. */
static Line read_argument(const char *argument) {
    char *text = text_argument("the text", argument);
    Line line = {allocate(strlen(text) + 1, 1, "a text"), 0};
    line.length = unescaped(text, line.ids);
    free(text);
    return line;
}

/* vector [dim]: the row that a text names, which is returned; without one, NO_ROW, the mean of the
   rows in its bag: it points where their sum does, but is never too large for a float. */
static uint32_t find_row(const SavedModel *saved, const char *argument, float *vector) {
    char *text = text_argument("the text", argument);
    size_t dim = saved->model.dim, count = 1;
    uint32_t row = named_row(&saved->vocabulary, text), rows[MAX_BAG] = {row};
    if (row == NO_ROW) {
        Line line = read_argument(argument);
        Stream *stream = stream_start(&saved->vocabulary);
        if (line.length == 0)
            fail("\"%s\" has nothing in it, or a \\xHH that is none of the 100 characters; see "
                 "--help",
                 text);
        for (size_t i = 0; i < line.length; i++) stream_push(stream, line.ids[i]);
        count = stream_rows(stream, rows);
        stream_end(stream);
        free(line.ids);
    }
    memset(vector, 0, dim * sizeof *vector);
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < dim; d++)
            vector[d] += saved->model.embedding[rows[i] * dim + d] / count;
    require_finite(vector, dim);
    free(text);
    return row;
}

/* A tensor as PyTorch prints it: four decimals, seven numbers a line. */
static void print_numbers(const float *numbers, size_t count) {
    printf("tensor([");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) printf("%s", i % 7 ? "," : ",\n        ");
        printf("%8.4f", numbers[i]);
    }
    printf("])\n");
}

static void show_row(const Look *look) {
    const SavedModel *saved = &look->saved;
    const char *text = look->words[1];
    size_t dim = saved->model.dim;
    char number[48], name[ROW_NAME], other[8];
    float vector[MAX_DIM];
    Scored order[CHARACTERS] = {{0}};
    uint32_t row = find_row(saved, text, vector);
    if (row == NO_ROW) {
        bool elsewhere = strcmp(look->path, default_model) != 0;
        fail("\"%s\" has no row in this model; embed%s%s near %s shows what is near the sum of "
             "its bag",
             text, elsewhere ? " --model " : "", elsewhere ? shell_word(look->path) : "",
             shell_word(text));
    }
    printf("row %u, %s\n", row, row_name(&saved->vocabulary, row, name));
    print_numbers(vector, dim);
    printf("norm %.4f, seen %s in training", exact_norm(vector, dim, 2),
           counted(saved->vocabulary.count[row], "times", number));
    float *start = start_of(&saved->file, dim);
    if (start)
        printf(", moved %.4f from its start\n", distance_moved(&saved->model, start, row));
    else
        printf("; its start is not known (--pretrained, or not in the file)\n");
    for (uint32_t c = 0; c < CHARACTERS; c++) {
        order[c].row = c;
        for (size_t d = 0; d < dim; d++)
            order[c].score += (double)saved->model.linear[c * dim + d] * vector[d];
    }
    sort_scored(order, CHARACTERS);
    printf("what it adds to the logits\n");
    for (size_t i = 0; i < 8; i++) {
        const Scored *up = &order[i], *down = &order[CHARACTERS - 1 - i];
        printf("  %-6s %+8.3f      %-6s %+8.3f\n", character_name(character_of(up->row), name),
               up->score, character_name(character_of(down->row), other), down->score);
    }
    free(start);
}

static void show_near(const Look *look) {
    const Vocabulary *vocabulary = &look->saved.vocabulary;
    const float *table = look->saved.model.embedding;
    size_t dim = look->saved.model.dim, found = 0;
    float vector[MAX_DIM];
    uint32_t subject = find_row(&look->saved, look->words[1], vector);
    Buffer printed = {0};
    char name[ROW_NAME], number[48];
    bool all = look->any || subject == NO_ROW;
    RowKind kind = subject == NO_ROW ? ROW_KINDS : row_kind(vocabulary, subject);
    Scored *near = allocate(vocabulary->rows, sizeof *near, "the neighbours");
    for (uint32_t row = 0; row < vocabulary->rows; row++) {
        bool seen = row >= CHARACTERS || vocabulary->count[row] > 0;
        if (row == subject || !seen || !(all || row_kind(vocabulary, row) == kind)) continue;
        double score = cosine(vector, table + row * dim, dim);
        if (isfinite(score)) near[found++] = (Scored){score, row};
    }
    sort_scored(near, found);
    if (subject == NO_ROW)
        printf("near the sum for \"%.60s\", among ", shown(look->words[1], &printed));
    else
        printf("near %s, among ", row_name(vocabulary, subject, name));
    printf("%s\n", all ? "all rows" : row_kind_name(kind));
    if (subject < CHARACTERS && vocabulary->count[subject] == 0)
        printf("  (never seen in training: its row is what it was at the start)\n");
    for (size_t i = 0; i < smaller(found, look->count); i++)
        printf("  %+.4f  %-24s seen %s\n", near[i].score, row_name(vocabulary, near[i].row, name),
               counted(vocabulary->count[near[i].row], "times", number));
    free(near);
    buffer_free(&printed);
}

/* Every character, the one whose row moved farthest first; false when their start is not known. */
static bool describe_moves(const SavedModel *saved, size_t columns, Buffer *out) {
    float *start = start_of(&saved->file, saved->model.dim);
    Scored order[CHARACTERS];
    char name[8], number[48];
    if (!start) return false;
    buffer_add(out,
               "how far backpropagation moved each character's row from where the seed put it\n");
    size_t still = rank_moves(&saved->model, start, order);
    for (size_t i = 0; i < CHARACTERS; i++) {
        double share = order[0].score > 0 ? order[i].score / order[0].score : 0;
        long bar = lround(share * (columns - 40));
        buffer_add(out, "  %-6s %8.4f  seen %9s%s",
                   character_name(character_of(order[i].row), name), order[i].score,
                   grouped(saved->vocabulary.count[order[i].row], number), bar ? "  " : "");
        while (bar-- > 0) buffer_add(out, "#");
        buffer_add(out, "\n");
    }
    buffer_add(out, "%s did not move by one bit\n", counted(still, "rows", number));
    free(start);
    return true;
}

static void show_moved(const Look *look) {
    Buffer text = {0};
    if (!describe_moves(&look->saved, terminal_columns(), &text))
        fail("how far the rows moved is not known: the run started from another model's rows "
             "(--pretrained), or the file has no seed");
    printf("%s", text.text);
    buffer_free(&text);
}

/* ---- texts ----------------------------------------------------------------------------------- */

typedef struct {
    Line *lines;
    size_t count, capacity;
} Lines;

static void add_line(Lines *list, Line line) {
    list->lines = grow(list->lines, &list->capacity, list->count + 1, sizeof line, "the texts");
    list->lines[list->count++] = line;
}

/* The lines of a file; or, where each is a pair with a tab between, both texts of each line. Free
   the text's ids. */
static Text add_file(Lines *list, const char *path, bool pairs) {
    Text file = text_read(path, false);
    text_notice(&file, path);
    const uint8_t line_feed = id_of('\n'), tab = id_of('\t');
    size_t line = 1;
    for (size_t begin = 0, end; begin < file.length; begin = end + 1, line++) {
        size_t split = begin;
        for (end = begin; end < file.length && file.ids[end] != line_feed; end++)
            if (split == begin && file.ids[end] == tab) split = end;
        if (pairs && split == begin)
            fail("%s: line %zu has no tab between two texts; put one there", path, line);
        if (pairs) add_line(list, (Line){file.ids + begin, split - begin});
        if (pairs) begin = split + 1;
        add_line(list, (Line){file.ids + begin, end - begin});
    }
    if (line == 1) fail("%s: has no lines; name a file that has", path);
    return file;
}

static void show_cosines(const Look *look) {
    Lines list = {0};
    Text file = {0};
    if (look->pairs) file = add_file(&list, look->pairs, true);
    for (int i = 1; i <= 2 && !look->pairs; i++) add_line(&list, read_argument(look->words[i]));
    Scored *pairs = compare_lines(&look->saved, list.lines, list.count, true);
    for (size_t i = 0; i < list.count / 2; i++)
        printf(look->pairs ? "%.6f\n" : "cosine %+.6f between the two texts\n", pairs[i].score);
    for (size_t i = 0; i < list.count && !look->pairs; i++) free(list.lines[i].ids);
    free(pairs);
    free(list.lines);
    free(file.ids);
}

/* The lines of a file that are nearest to a text. */
static void show_lines(const Look *look) {
    Lines list = {0};
    size_t columns = terminal_columns() - 20;
    Line subject = read_argument(look->words[2]);
    add_line(&list, subject);
    Text file = add_file(&list, look->words[1], false);
    size_t found = list.count - 1;
    Scored *near = compare_lines(&look->saved, list.lines, list.count, false);
    sort_scored(near, found);
    for (size_t i = 0; i < smaller(found, look->count); i++) {
        const Line *line = &list.lines[near[i].row];
        printf("  %+.4f %8u  ", near[i].score, near[i].row);
        for (size_t c = 0; c < smaller(line->length, columns); c++) {
            char character = character_of(line->ids[c]);
            putchar(iscntrl(character) ? ' ' : character);
        }
        printf("\n");
    }
    free(near);
    free(list.lines);
    free(subject.ids);
    free(file.ids);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void export_files(const Look *look) {
    export_rows(&look->saved, look->format, look->out, look->count);
}

static void write_report(const Look *look) {
    Buffer text = {0};
    describe_model(&look->saved, look->name, 80, &text);
    buffer_add(&text, "\n");
    describe_moves(&look->saved, 80, &text);
    page_write(&look->saved, look->folder, text.text, look->out);
    buffer_free(&text);
}

/* ---- verbs ----------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    void (*run)(const Look *look);
    size_t texts;        /* how many follow it */
    const char *options; /* that it takes, beside --model */
    size_t count;        /* --count, when it is not given */
} Verb;

static const Verb verbs[] = {{"", show_model, 0, ""},
                             {"row", show_row, 1, ""},
                             {"near", show_near, 1, "count any", 12},
                             {"moved", show_moved, 0, ""},
                             {"compare", show_cosines, 2, "pairs"},
                             {"lines", show_lines, 2, "count", 10},
                             {"export", export_files, 0, "count format out", 10000},
                             {"report", write_report, 0, "out"}};

static const Verb *find_verb(const char *name) {
    const Verb *meant = NULL;
    size_t distance = SIZE_MAX;
    for (const Verb *v = verbs; v < verbs + sizeof verbs / sizeof *verbs; v++) {
        if (!strcmp(v->name, name)) return v;
        if (is_nearer(name, v->name, &distance)) meant = v;
    }
    if (meant) wrong_use("\"%s\" is no verb; did you mean %s?", name, meant->name);
    wrong_use("\"%s\" is no verb; see --help", name);
}

int main(int argc, char **argv) {
    Buffer folder = {0};
    Look look = {.path = default_model, .format = "tsv", .words = {"", "", ""}};
    Option options[] = {
        {GROUP, .name = "Options"},
        {TEXT, "model", 'm', &look.path, 0, 0, "FILE", "the model"},
        {COUNT, "count", 'n', &look.count, 1, 1e9, "N",
         "near: rows to show (default 12); lines: lines to show (default 10); export: rows to "
         "write, the 100 characters and the most frequent (default 10,000)"},
        {TEXT, "pairs", 'p', &look.pairs, 0, 0, "FILE",
         "compare: a file with two texts a line, a tab between them; prints a cosine a line"},
        {FLAG, "any", 'a', &look.any, 0, 1, NULL, "near: rows of any kind"},
        {TEXT, "format", 'f', &look.format, 0, 0, "NAME", "export: tsv, vec or map"},
        {TEXT, "out", 'o', &look.out, 0, 0, "DIR",
         "export, report: where to write (default: the model's folder)"},
        {0}};
    set_program_name(argv[0]);
    size_t given = parse_options(argc, argv, options, usage, examples, look.words, 3);
    const Verb *verb = find_verb(look.words[0]);
    const char *name = given ? verb->name : "embed without a verb";
    for (const Option *option = options + 2; option->name; option++)
        if (option->given && !strstr(verb->options, option->name))
            wrong_use("--%s does nothing for %s; leave it out; see --help", option->name, name);
    size_t texts = look.pairs ? 0 : verb->texts;
    if (given && given != texts + 1)
        wrong_use("%s takes %zu text%s after it; see --help", name, texts, texts == 1 ? "" : "s");
    signal(SIGPIPE, SIG_IGN); /* flush_output ends quietly when the reader has gone */
    look.saved = model_open(look.path);
    require_finite(look.saved.model.embedding, CHARACTERS * look.saved.model.dim);
    require_finite(look.saved.model.linear, linear_size(look.saved.model.dim));
    const char *slash = strrchr(look.path, '/');
    look.name = slash ? slash + 1 : look.path;
    buffer_add(&folder, "%.*s", slash ? (int)(slash - look.path) : 1, slash ? look.path : ".");
    look.folder = folder.text;
    if (!look.out) look.out = folder.text;
    if (!look.count) look.count = verb->count;
    verb->run(&look);
    buffer_free(&folder);
    model_close(&look.saved);
    flush_output();
    return 0;
}

/* embed.c: looks at the embedding: its rows, their neighbours, how far each moved, what each makes
   likely. */
#include "model.h"

#include "lib/checkpoint.h"
#include "lib/export.h"
#include "lib/fail.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/page.h"
#include "lib/projection.h"
#include "lib/ranking.h"
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
    "word begins), \"echo 4: n\", \"column 12\"; for near also any other text, which\n"
    "stands for the sum of the rows in its bag; for compare and lines any text.\n"
    "\nExamples\n"
    "  embed row a             embed near \"the \"       embed compare \"to be\" \"or not\"\n"
    "  embed export --format vec    embed report      embed moved\n";

static const char default_model[] = "out/model.safetensors";

typedef struct {
    size_t count; /* 0: what the verb takes */
    bool any;
    const char *model, *format, *out, *pairs;
} Settings;

/* ---- what a text stands for ------------------------------------------------------------------ */

/* The mean of the rows in the bag of a context: it points where their sum does, but is never too
   large for a float. */
static void mean_of_context(const SavedModel *saved, const uint8_t *ids, size_t length,
                            float *mean) {
    Stream *stream = stream_start(&saved->vocabulary);
    uint32_t rows[MAX_BAG] = {0};
    for (size_t i = 0; i < length; i++) stream_push(stream, ids[i]);
    size_t count = stream_rows(stream, rows), dim = saved->model.dim;
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < dim; d++)
            mean[d] += saved->model.embedding[rows[i] * dim + d] / (float)count;
    stream_end(stream);
}

/* vector [dim]: the row that a text names, which is returned; without one, NO_ROW, the mean of the
   rows in its bag. */
static uint32_t find_row(const SavedModel *saved, const char *argument, float *vector) {
    char *text = text_argument("the text", argument);
    size_t dim = saved->model.dim;
    uint32_t row = named_row(&saved->vocabulary, text);
    if (row != NO_ROW) {
        memcpy(vector, saved->model.embedding + row * dim, dim * sizeof(float));
    } else {
        uint8_t *ids = allocate(strlen(text) + 1, 1, "a text");
        size_t length = unescaped(text, ids);
        if (length == 0)
            fail("\"%s\" has nothing in it, or a \\xHH that is none of the 100 characters; see "
                 "--help",
                 text);
        mean_of_context(saved, ids, length, vector);
        free(ids);
    }
    require_finite(vector, dim);
    free(text);
    return row;
}

/* ---- the model in short ---------------------------------------------------------------------- */

static size_t terminal_columns(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 40) return 80;
    return size.ws_col < 160 ? size.ws_col : 160;
}

enum { MAP_LINES = 24, MAX_COLUMNS = 160 };
#define KEPT_FREE '\x7f' /* beside a name of several letters, so that no other mark joins it */

/* The nearest free place for a mark on the grid; *column stays where it is when none is free. A
   line is as high as two columns are wide. */
static bool find_free(char grid[MAP_LINES][MAX_COLUMNS + 1], int width, int wide, int *line,
                      int *column) {
    int to_line = *line, to_column = *column, best = INT_MAX;
    for (int l = 0; l < MAP_LINES; l++)
        for (int c = 0; c + wide <= width; c++) {
            int down = l - to_line, across = c + wide / 2 - to_column;
            int away = 4 * down * down + across * across;
            if (away >= best || (int)strspn(&grid[l][c], " ") < wide) continue;
            best = away;
            *line = l;
            *column = c;
        }
    return best < INT_MAX;
}

/* The characters that occur, by their names, on the plane on which their rows differ most. Long
   names come first (white space is last in the table); a mark that would cover another takes the
   nearest free place. */
static void describe_map(const SavedModel *saved, size_t columns, Buffer *out) {
    const Model *model = &saved->model;
    uint32_t rows[CHARACTERS];
    size_t count = characters_seen(saved, rows);
    int width = (int)columns - 2;
    double at[CHARACTERS][2];
    char number[64];
    char grid[MAP_LINES][MAX_COLUMNS + 1] = {{0}};
    Bounds bounds = NO_BOUNDS;
    Projection projection = projection_make(model->embedding, model->dim, rows, count);
    project_rows(&projection, model->embedding, rows, count, at, &bounds);
    for (int l = 0; l < MAP_LINES; l++) memset(grid[l], ' ', (size_t)width);
    for (size_t i = count; i-- > 0;) {
        char name[8], mark[12];
        int column = (int)(bounds_share(&bounds, 0, at[i][0]) * (width - 1));
        int line = (int)((1 - bounds_share(&bounds, 1, at[i][1])) * (MAP_LINES - 1));
        character_name(character_of((uint8_t)rows[i]), name);
        const char *beside = name[1] ? "\x7f" : "";
        snprintf(mark, sizeof mark, "%s%s%s", beside, name, beside);
        size_t wide = strlen(mark);
        if (find_free(grid, width, (int)wide, &line, &column))
            memcpy(&grid[line][column], mark, wide);
    }
    buffer_add(out, "\nmap of the %s seen ", counted(count, "characters", number));
    buffer_add(out, "(%.0f%% of their rows' variance across, %.0f%% along)\n\n",
               100 * projection.share[0], 100 * projection.share[1]);
    for (int l = 0; l < MAP_LINES; l++) {
        for (char *c = grid[l]; *c; c++)
            if (*c == KEPT_FREE) *c = ' ';
        size_t end = (size_t)width;
        while (end > 0 && grid[l][end - 1] == ' ') end--;
        buffer_add(out, "  %.*s\n", (int)end, grid[l]);
    }
    projection_free(&projection);
}

/* A piece of the summary and the value of a key in the file's metadata. */
static void add_setting(Buffer *out, const SavedModel *saved, const char *label, const char *key) {
    Buffer printed = {0};
    const char *value = metadata_find(&saved->file, key);
    buffer_add(out, "%s%.40s", label, value ? shown(value, &printed) : "unknown");
    buffer_free(&printed);
}

static void describe_model(const SavedModel *saved, const char *path, size_t columns, Buffer *out) {
    static const char *const after[ROW_KINDS] = {", ", ",\n            ", ", ", ", ", "\n"};
    const Vocabulary *vocabulary = &saved->vocabulary;
    char number[64];
    Buffer printed = {0};
    buffer_add(out, "file        %s, %.1f MB\n", shown(path, &printed),
               (double)saved->file.size / 1e6);
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

/* ---- rows ------------------------------------------------------------------------------------ */

static _Noreturn void no_row(const char *text, const Settings *settings) {
    bool elsewhere = strcmp(settings->model, default_model) != 0;
    fail("\"%s\" has no row in this model; ./embed%s%s near %s shows what is near the sum of its "
         "bag",
         text, elsewhere ? " --model " : "", elsewhere ? shell_word(settings->model) : "",
         shell_word(text));
}

/* A tensor as PyTorch prints it: four decimals, seven numbers a line. */
static void print_numbers(const float *numbers, size_t count) {
    printf("tensor([");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) printf("%s", i % 7 ? "," : ",\n        ");
        printf("%8.4f", (double)numbers[i]);
    }
    printf("])\n");
}

static void print_row(const SavedModel *saved, const char *text, const Settings *settings) {
    enum { SHOWN = 8 };
    const Model *model = &saved->model;
    char number[64], name[ROW_NAME];
    float vector[MAX_DIM] = {0};
    uint32_t row = find_row(saved, text, vector);
    if (row == NO_ROW) no_row(text, settings);
    printf("row %u, %s\n", (unsigned)row, row_name(&saved->vocabulary, row, name));
    print_numbers(vector, model->dim);
    printf("norm %.4f, seen %s in training", exact_norm(vector, model->dim, 2),
           counted(saved->vocabulary.count[row], "times", number));
    Start start = start_of(saved);
    if (start.known)
        printf(", moved %.4f from its start\n", distance_moved(saved, &start, row));
    else
        printf("; its start is not known (--pretrained, or not in the file)\n");
    Scored order[CHARACTERS] = {{0}};
    for (uint32_t c = 0; c < CHARACTERS; c++) {
        const float *weight = model->linear + c * model->dim;
        order[c].row = c;
        for (size_t d = 0; d < model->dim; d++)
            order[c].score += (double)weight[d] * (double)vector[d];
    }
    sort_scored(order, CHARACTERS);
    printf("what it adds to the logits\n");
    for (size_t i = 0; i < SHOWN; i++) {
        char up[8], down[8];
        const Scored *most = &order[i], *least = &order[CHARACTERS - 1 - i];
        character_name(character_of((uint8_t)most->row), up);
        character_name(character_of((uint8_t)least->row), down);
        printf("  %-6s %+8.3f      %-6s %+8.3f\n", up, most->score, down, least->score);
    }
    start_free(&start);
}

static void print_near(const SavedModel *saved, const char *text, const Settings *settings) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    size_t dim = saved->model.dim, found = 0, shown_rows = settings->count ? settings->count : 12;
    float vector[MAX_DIM] = {0};
    uint32_t subject = find_row(saved, text, vector);
    Buffer printed = {0};
    char name[ROW_NAME], number[64];
    bool all = settings->any || subject == NO_ROW;
    RowKind kind = subject == NO_ROW ? ROW_KINDS : row_kind(vocabulary, subject);
    Scored *near = allocate(vocabulary->rows, sizeof *near, "the neighbours");
    for (uint32_t row = 0; row < vocabulary->rows; row++) {
        bool moved = row >= CHARACTERS || vocabulary->count[row] > 0;
        if (row == subject || !moved || !(all || row_kind(vocabulary, row) == kind)) continue;
        double score = cosine(vector, saved->model.embedding + row * dim, dim);
        if (isfinite(score)) near[found++] = (Scored){score, row};
    }
    sort_scored(near, found);
    if (subject == NO_ROW)
        printf("near the sum for \"%.60s\", among ", shown(text, &printed));
    else
        printf("near %s, among ", row_name(vocabulary, subject, name));
    printf("%s\n", all ? "all rows" : row_kind_name(kind));
    if (subject < CHARACTERS && vocabulary->count[subject] == 0)
        printf("  (never seen in training: its row is what it was at the start)\n");
    for (size_t i = 0; i < found && i < shown_rows; i++) {
        row_name(vocabulary, near[i].row, name);
        counted(vocabulary->count[near[i].row], "times", number);
        printf("  %+.4f  %-24s seen %s\n", near[i].score, name, number);
    }
    free(near);
    buffer_free(&printed);
}

/* Every character, the one whose row moved farthest first; false when their start is not known. */
static bool describe_moves(const SavedModel *saved, size_t columns, Buffer *out) {
    Start start = start_of(saved);
    Scored order[CHARACTERS];
    if (!start.known) return false;
    buffer_add(out,
               "how far backpropagation moved each character's row from where the seed put it\n");
    char number[64];
    size_t still = rank_moves(saved, &start, order);
    for (size_t i = 0; i < CHARACTERS; i++) {
        char name[8];
        character_name(character_of((uint8_t)order[i].row), name);
        grouped(saved->vocabulary.count[order[i].row], number);
        buffer_add(out, "  %-6s %8.4f  seen %9s", name, order[i].score, number);
        double share = order[0].score > 0 ? order[i].score / order[0].score : 0;
        size_t bar = (size_t)(share * (double)(columns - 40) + 0.5);
        buffer_add(out, bar ? "  " : "");
        while (bar-- > 0) buffer_add(out, "#");
        buffer_add(out, "\n");
    }
    buffer_add(out, "%s did not move by one bit\n", counted(still, "rows", number));
    start_free(&start);
    return true;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void add_argument(Texts *texts, const char *argument) {
    char *text = text_argument("the text", argument);
    uint8_t *ids = allocate(strlen(text) + 1, 1, "a text");
    texts_add(texts, ids, unescaped(text, ids));
    free(ids);
    free(text);
}

/* The lines of a file; or, where each is a pair with a tab between, both texts of each line. */
static Texts texts_of_file(const char *path, bool pairs) {
    Texts texts = {0};
    Text file = text_read(path, false);
    text_notice(&file, path);
    const uint8_t line_feed = (uint8_t)id_of('\n'), tab = (uint8_t)id_of('\t');
    size_t line = 1;
    for (size_t begin = 0, end; begin < file.length; begin = end + 1, line++) {
        size_t split = begin;
        for (end = begin; end < file.length && file.ids[end] != line_feed; end++)
            if (split == begin && file.ids[end] == tab) split = end;
        if (pairs && split == begin)
            fail("%s: line %zu has no tab between two texts; put one there", path, line);
        if (pairs) texts_add(&texts, file.ids + begin, split - begin);
        if (pairs) begin = split + 1;
        texts_add(&texts, file.ids + begin, end - begin);
    }
    if (!texts.count) fail("%s: has no lines; name a file that has", path);
    free(file.ids);
    return texts;
}

/* One cosine for each pair. */
static void print_cosines(Sentences *sentences, const Texts *texts, bool named) {
    enum { AT_ONCE = 4096 };
    size_t dim = sentences->model->dim;
    float *vectors = allocate(AT_ONCE * dim, sizeof *vectors, "the vectors of texts");
    for (size_t first = 0; first < texts->count; first += AT_ONCE) {
        size_t rest = texts->count - first, count = rest < AT_ONCE ? rest : AT_ONCE;
        sentence_vectors(sentences, texts, first, count, vectors);
        for (size_t i = 0; i < count; i += 2) {
            double similarity = cosine(vectors + i * dim, vectors + (i + 1) * dim, dim);
            printf(named ? "cosine %+.6f between the two texts\n" : "%.6f\n", similarity);
        }
    }
    free(vectors);
}

/* The lines that are nearest to the first text. */
static void print_lines(Sentences *sentences, const Texts *query, const Texts *lines, size_t most) {
    enum { AT_ONCE = 4096 };
    size_t dim = sentences->model->dim, columns = terminal_columns() - 20;
    float *vectors = allocate((AT_ONCE + 1) * dim, sizeof *vectors, "the vectors of texts");
    float *wanted = vectors + AT_ONCE * dim;
    Scored *near = allocate(lines->count, sizeof *near, "the lines");
    sentence_vectors(sentences, query, 0, 1, wanted);
    for (size_t i = 0; i < lines->count; i++) {
        size_t rest = lines->count - i;
        if (i % AT_ONCE == 0)
            sentence_vectors(sentences, lines, i, rest < AT_ONCE ? rest : AT_ONCE, vectors);
        near[i] = (Scored){cosine(wanted, vectors + i % AT_ONCE * dim, dim), (uint32_t)i};
    }
    sort_scored(near, lines->count);
    for (size_t i = 0; i < most && i < lines->count; i++) {
        const size_t *offset = lines->offsets + near[i].row;
        size_t length = offset[1] - offset[0] - 1;
        if (length > columns) length = columns;
        printf("  %+.4f %8u  ", near[i].score, (unsigned)near[i].row + 1);
        for (size_t c = 0; c < length; c++) {
            char character = character_of(lines->ids[offset[0] + 1 + c]);
            putchar(iscntrl((unsigned char)character) ? ' ' : character);
        }
        printf("\n");
    }
    free(near);
    free(vectors);
}

static void compare_texts(const SavedModel *saved, const Settings *settings, const char **words,
                          bool lines) {
    Team *team = team_start(processors());
    Texts texts = {0}, query = {0};
    if (lines) add_argument(&query, words[1]);
    if (lines || settings->pairs) texts = texts_of_file(lines ? words[0] : settings->pairs, !lines);
    if (!texts.count) add_argument(&texts, words[0]);
    if (!lines && !settings->pairs) add_argument(&texts, words[1]);
    Sentences sentences = sentences_start(saved, team);
    if (lines)
        print_lines(&sentences, &query, &texts, settings->count ? settings->count : 10);
    else
        print_cosines(&sentences, &texts, !settings->pairs);
    sentences_free(&sentences);
    texts_free(&texts);
    texts_free(&query);
    team_end(team);
}

/* ---- verbs ----------------------------------------------------------------------------------- */

typedef enum { NO_VERB, ROW, NEAR, MOVED, COMPARE, LINES, EXPORT, REPORT, VERBS } Verb;

static const struct {
    const char *name;
    size_t texts;        /* how many follow it */
    const char *options; /* that it takes, beside --model */
} verbs[VERBS] = {{"", 0, ""},
                  {"row", 1, ""},
                  {"near", 1, "count any"},
                  {"moved", 0, ""},
                  {"compare", 2, "pairs"},
                  {"lines", 2, "count"},
                  {"export", 0, "count format out"},
                  {"report", 0, "out"}};

static Verb find_verb(const char *name) {
    Verb meant = NO_VERB;
    size_t distance = SIZE_MAX;
    for (Verb v = NO_VERB; v < VERBS; v++) {
        if (!strcmp(verbs[v].name, name)) return v;
        if (is_nearer(name, verbs[v].name, &distance)) meant = v;
    }
    if (meant != NO_VERB) wrong_use("\"%s\" is no verb; did you mean %s?", name, verbs[meant].name);
    wrong_use("\"%s\" is no verb; see --help", name);
}

static void run(Verb verb, const SavedModel *saved, const Settings *settings, const char **texts) {
    size_t columns = verb == REPORT ? 80 : terminal_columns();
    const char *slash = strrchr(settings->model, '/');
    Buffer folder = {0}, text = {0};
    if (slash)
        buffer_bytes(&folder, settings->model, (size_t)(slash - settings->model));
    else
        buffer_add(&folder, ".");
    const char *out = settings->out ? settings->out : folder.text;
    const char *file = verb == REPORT && slash ? slash + 1 : settings->model;
    if (verb == NO_VERB || verb == REPORT) describe_model(saved, file, columns, &text);
    if (verb == REPORT) buffer_add(&text, "\n");
    bool moves = verb == MOVED || verb == REPORT;
    if (moves && !describe_moves(saved, columns, &text) && verb == MOVED)
        fail("how far the rows moved is not known: the run started from another model's rows "
             "(--pretrained), or the file has no seed");
    if (verb == NO_VERB || verb == MOVED) printf("%s", text.text);
    if (verb == NO_VERB)
        printf("\nverbs       row, near, moved, compare, lines, export, report; see --help\n");
    if (verb == ROW) print_row(saved, texts[0], settings);
    if (verb == NEAR) print_near(saved, texts[0], settings);
    if (verb == COMPARE || verb == LINES) compare_texts(saved, settings, texts, verb == LINES);
    if (verb == EXPORT) export_rows(saved, settings->format, out, settings->count);
    if (verb == REPORT) page_write(saved, folder.text, text.text, out);
    buffer_free(&folder);
    buffer_free(&text);
}

int main(int argc, char **argv) {
    Settings settings = {.model = default_model, .format = "tsv"};
    const char *words[3] = {"", "", ""};
    Option table[] = {
        {GROUP, .name = "Options"},
        {TEXT, "model", 'm', &settings.model, 0, 0, "FILE", "the model"},
        {COUNT, "count", 'n', &settings.count, 1, 1e9, "N",
         "near: rows to show (default 12); lines: lines to show (default 10); export: rows to "
         "write, the 100 characters and the most frequent (default 10,000)"},
        {TEXT, "pairs", 'p', &settings.pairs, 0, 0, "FILE",
         "compare: a file with two texts a line, a tab between them; prints a cosine a line"},
        {FLAG, "any", 'a', &settings.any, 0, 1, NULL, "near: rows of any kind"},
        {TEXT, "format", 'f', &settings.format, 0, 0, "NAME", "export: tsv, vec or map"},
        {TEXT, "out", 'o', &settings.out, 0, 0, "DIR",
         "export, report: where to write (default: the model's folder)"},
        {0}};
    set_program_name(argv[0]);
    size_t given = parse_options(argc, argv, table, usage, examples, words, 3);
    Verb verb = find_verb(words[0]);
    const char *name = given ? verbs[verb].name : "embed without a verb";
    for (const Option *option = table + 2; option->name; option++)
        if (option->given && !strstr(verbs[verb].options, option->name))
            wrong_use("--%s does nothing for %s; leave it out; see --help", option->name, name);
    size_t texts = settings.pairs ? 0 : verbs[verb].texts;
    if (given && given != texts + 1)
        wrong_use("%s takes %zu text%s after it; see --help", name, texts, texts == 1 ? "" : "s");
    signal(SIGPIPE, SIG_IGN); /* flush_output ends quietly when the reader has gone */
    SavedModel saved = model_open(settings.model);
    require_finite(saved.model.embedding, CHARACTERS * saved.model.dim);
    require_finite(saved.model.linear, linear_size(saved.model.dim));
    run(verb, &saved, &settings, words + 1);
    model_close(&saved);
    flush_output();
    return 0;
}

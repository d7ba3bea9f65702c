/* Every rule of safetensors by its name; models and checkpoints whose parts disagree; what is no
   file to map or to write. */
#include "../../lib/checkpoint.h"
#include "../../lib/format.h"
#include "../check.h"
#include "../child.h"
#include "../tiny.h"
#include "breaches.h"

#include <sys/stat.h>

#define FOLDER "build/test/safetensors"
#define GOOD FOLDER "/good.safetensors"
#define CHANGED FOLDER "/changed.safetensors"
#define OTHER FOLDER "/other"
#define E "embedding.weight"
#define W "linear.weight"
#define B "linear.bias"
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const arrays[] = {
    E, W, B, "optimizer." E ".sum", "optimizer." W ".sum", "optimizer." B ".sum"};

/* Values that a key of the metadata is given, and the words of the refusal; NULL: none. */
enum { VALUES = 7 };
typedef struct {
    const char *key, *values[VALUES], *words;
} Change;

/* Writes a file and frees it. */
static void save(TensorFile *file, const char *path) {
    Writer writer = {0};
    tensors_prepare(file, path);
    tensors_write(file, &writer, entry_of(path));
    writer_finish(&writer);
    tensors_close(file);
}

static void command(const char *text) {
    if (system(text)) exit(2);
}

/* ---- the rules of the format ---- */

/* NULL, or why the bytes are refused. They stand in a block of exactly their size: AddressSanitizer
   sees a read beyond it. */
static const char *refusal(const uint8_t *bytes, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    TensorFile file;
    memcpy(exact, bytes, size);
    const char *reason = tensors_parse(&file, exact, size);
    tensors_close(&file);
    free(exact);
    return reason;
}

static const char *breach_refusal(const Breach *breach) {
    size_t size;
    uint8_t *bytes = breach_bytes(breach, &size);
    const char *reason = refusal(bytes, size);
    free(bytes);
    return reason;
}

/* Is there such a tensor in the file of one U8 that is called so? */
static bool finds(const char *called, const char *name, const char *dtype, size_t rank) {
    TensorFile file;
    Buffer header = {0};
    buffer_add(&header, "{" BYTE("%s", "[0,1]") "}", called);
    size_t size;
    uint8_t *bytes = breach_bytes(&(Breach){.header = header.text, .data = 1}, &size);
    bool found = !tensors_parse(&file, bytes, size) && tensor_find(&file, name, dtype, rank).data;
    tensors_close(&file);
    buffer_free(&header);
    free(bytes);
    return found;
}

static void test_rules(void) {
    static const uint8_t zeros[7] = {0};
    for (size_t i = 0; i < BREACHES; i++) {
        const char *wanted = breaches[i].reason, *reason = breach_refusal(&breaches[i]);
        bool good = wanted ? reason && strstr(reason, wanted) : !reason;
        check(good, "%s: %s", wanted ? "refused" : "accepted", breaches[i].name);
        if (!good) printf("note it was %s\n", reason ? reason : "accepted");
    }
    for (size_t size = 0; size <= 7; size += 7) {
        const char *reason = refusal(zeros, size);
        check(reason && strstr(reason, "shorter"), "refused: header too small: %zu bytes", size);
    }
}

/* What the reference implementation's SafeTensorError can say of a file (safetensors 0.4 to 0.7,
   src/tensor.rs; its other values are of writing), and what is said here: each has breaches. */
static void test_reference_errors(void) {
    static const char *const errors[][2] = {
        {"InvalidHeader", "not UTF-8"},
        {"InvalidHeaderStart", "does not begin with {"},
        {"InvalidHeaderDeserialization", NOT_JSON},
        {"InvalidHeaderDeserialization", "dtype that is not known"},
        {"HeaderTooLarge", "more than 100 MB"},
        {"InvalidHeaderLength", "header is cut short"},
        {"InvalidOffset", "hole"},
        {"InvalidOffset", "overlap"},
        {"TensorInvalidInfo", "not what its shape says"},
        {"ValidationOverflow", "shape is too large"},
        {"MetadataIncompleteBuffer", "it is cut short"},
        {"MetadataIncompleteBuffer", "follows its last tensor"}};
    for (size_t e = 0; e < COUNT(errors); e++) {
        size_t count = 0;
        for (size_t i = 0; i < BREACHES; i++)
            count += breaches[i].reason && !strcmp(breaches[i].reason, errors[e][1]);
        check(count > 1, "SafeTensorError::%s: %zu as \"%s\"", errors[e][0], count, errors[e][1]);
    }
    check(finds("a", "a", "U8", 1) && !finds("a", "b", "U8", 1) && !finds("a", "a", "I8", 1) &&
              !finds("a", "a", "U8", 2),
          "SafeTensorError::TensorNotFound: no such name, or of another dtype or rank");
}

/* A header that begins like this, and then `count` times this text. */
static const char *repeated_refusal(const char *before, const char *text, size_t count,
                                    const char *after) {
    Buffer header = {0};
    buffer_add(&header, "%s", before);
    for (size_t i = 0; i < count; i++) buffer_add(&header, text, i);
    buffer_add(&header, "%s", after);
    const Breach breach = {.header = header.text};
    const char *reason = breach_refusal(&breach);
    buffer_free(&header);
    return reason;
}

/* Headers that no constant holds. */
static void test_made_headers(void) {
    static const char *const nests[][2] = {
        {"{\"a\":", "["},
        {"{\"a\":", "{\""},
        {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1],\"shape\":", "["},
        {"{\"__metadata__\":", "{\""}};
    static const uint8_t nul[] = {5, 0, 0, 0, 0, 0, 0, 0, '{', '"', 0, '"', '}'},
                         nul_outside[] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}', 0};
    static const char tensor[] = "\"%zu\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},";
    static const char last[] = "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
    for (size_t i = 0; i < 4; i++)
        check(repeated_refusal(nests[i][0], nests[i][1], 1000000, ""),
              "refused: deep nesting, a million levels (%zu)", i + 1);
    check(refusal(nul, sizeof nul), "refused: a NUL byte in a name");
    check(refusal(nul_outside, sizeof nul_outside), "refused: a NUL behind the JSON");
    for (size_t more = 0; more < 2; more++) {
        const char *pairs = repeated_refusal("{\"__metadata__\":{", "\"%zu\":\"\",",
                                             MAX_ITEMS - 1 + more, "\"a\":\"\"}}");
        const char *tensors = repeated_refusal("{", tensor, MAX_ITEMS - 1 + more, last);
        check(more ? pairs && tensors : !pairs && !tensors, "%s: %zu tensors, %zu keys",
              more ? "refused" : "accepted", MAX_ITEMS + more, MAX_ITEMS + more);
    }
    check(finds("\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\n", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n",
                "U8", 1),
          "escapes in a name become UTF-8 of one, two, three and four bytes");
}

/* Every prefix of a good file, and every file that differs from it in one byte. */
static void test_prefixes_and_bytes(void) {
    const Breach breach = {.header = TWO("[0,4]", "[4,8]"), .data = 8};
    size_t size, accepted = 0, changed = 0;
    uint8_t *bytes = breach_bytes(&breach, &size);
    for (size_t length = 0; length < size; length++) accepted += !refusal(bytes, length);
    check(accepted == 0, "refused: every one of the %zu prefixes of a good file", size);
    for (size_t i = 0; i < size - 8; i++) {
        uint8_t kept = bytes[i];
        for (int more = 1; more < 256; more++, changed++) {
            bytes[i] = (uint8_t)(kept + more);
            accepted += !refusal(bytes, size);
        }
        bytes[i] = kept;
    }
    check(accepted > 0 && accepted < changed / 20,
          "one byte changed: %zu of %zu headers are still valid (other names)", accepted, changed);
    free(bytes);
}

/* ---- models whose parts disagree ---- */

static void open_and_close(const void *path) {
    SavedModel saved = model_open(path);
    model_close(&saved);
}

/* Is the file no model, for a reason with these words (NULL: it is one)? */
static bool model_is(const char *path, const char *words) {
    Child child = in_child(open_and_close, path);
    if (!words) return ended(&child, 0, NULL);
    return ended(&child, 1, words) && strstr(child.said, path);
}

/* Does this command (printf style) end with status 1 and one line with these words? */
static bool __attribute__((format(printf, 2, 3)))
refuses(const char *words, const char *format, ...) {
    char command[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return ends(run_command, command, 1, words);
}

static void make_model(const char *path) {
    uint8_t ids[TINY];
    tiny_ids(ids);
    Vocabulary vocabulary = vocabulary_list(ids, TINY, tiny_rows);
    Model model = model_allocate(vocabulary.rows, 3);
    Random random = random_seeded(1);
    model_start(&model, &random, 1);
    Metadata metadata = {0};
    metadata_add(&metadata, "format", "pt");
    metadata_add(&metadata, "order", "4");
    TensorFile file = model_file(path, &model, &vocabulary, vocabulary.count, metadata);
    save(&file, path);
    model_free(&model);
    vocabulary_free(&vocabulary);
}

/* What ./train says of the model's size before the run: all but the bytes of 2 keys of echoes and
   of 81 columns. */
static void test_size(void) {
    make_model(GOOD);
    SavedModel saved = model_open(GOOD);
    size_t size = saved.file.size - 8 - saved.file.header.length;
    size_t said = model_size(&saved.vocabulary, saved.model.dim);
    check(size - said == 2 + 81, "the tensors take %zu bytes, and %zu were said", size, said);
    model_close(&saved);
}

/* A model that starts from another one with the same rows takes over each of them. */
static void test_adopt(void) {
    SavedModel saved = model_open(GOOD);
    Model model = model_allocate(saved.model.rows, saved.model.dim);
    size_t adopted = model_adopt(&model, &saved.vocabulary, GOOD, true);
    bool same = !memcmp(model.embedding, saved.model.embedding,
                        model.rows * model.dim * sizeof *model.embedding);
    same &=
        !memcmp(model.linear, saved.model.linear, linear_size(model.dim) * sizeof *model.linear);
    check(same && adopted == model.rows, "of %zu rows %zu are taken over", model.rows, adopted);
    model_free(&model);
    model_close(&saved);
}

/* Copies a file with changes of its tensors, up to one without a name: another dtype ("-": without
   the tensor), another shape (rank 0: as it was), other data (NULL: as they were); and with another
   value for a key (NULL: without the key). */
static void copy_with(const char *from, const char *to, const Tensor *change, const char *key,
                      const char *value) {
    TensorFile old = tensors_open(entry_of(from), "a model"), file = {0};
    for (size_t i = 0; i < old.tensor_count; i++) {
        Tensor tensor = old.tensors[i];
        for (const Tensor *c = change; c && c->name; c++) {
            if (strcmp(c->name, tensor.name)) continue;
            if (c->dtype[0]) strcpy(tensor.dtype, c->dtype);
            if (c->rank) memcpy(tensor.shape, c->shape, sizeof tensor.shape);
            if (c->data) tensor.data = c->data;
        }
        if (tensor.dtype[0] != '-') tensor_add(&file, tensor);
    }
    for (const char *k = NULL; (k = metadata_next(&old.metadata, k));)
        if (!key || strcmp(k, key)) metadata_add(&file.metadata, k, "%s", metadata_value(k));
    if (value) metadata_add(&file.metadata, key, "%s", value);
    save(&file, to);
    tensors_close(&old);
}

/* Is the good model with these changes no model, for a reason with these words (NULL: it is)? */
static bool changed_is(Tensor change, const char *words) {
    copy_with(GOOD, CHANGED, (Tensor[]){change, {0}}, NULL, NULL);
    return model_is(CHANGED, words);
}

/* A tensor of a file whose numbers at from, from + step, ... (at most count) have this value. */
static Tensor spoiled(const char *path, const char *name, size_t from, size_t step, size_t count,
                      float value) {
    static float numbers[1 << 16];
    TensorFile file = tensors_open(entry_of(path), "a model");
    const Tensor tensor = tensor_find(&file, name, "F32", strstr(name, "bias") ? 1 : 2);
    size_t size = tensor.end - tensor.begin;
    if (size > sizeof numbers) exit(2);
    memcpy(numbers, tensor.data, size);
    for (size_t i = from, n = 0; n < count && i < size / sizeof(float); i += step, n++)
        numbers[i] = value;
    tensors_close(&file);
    return (Tensor){.name = name, .data = numbers};
}

#define DROPPED(of)                                                                                \
    { .name = of, .dtype = "-" }
#define HOLDING(of, numbers)                                                                       \
    { .name = of, .data = numbers }
#define SHAPED(of, dims, ...)                                                                      \
    {                                                                                              \
        .name = of, .rank = dims, .shape = { __VA_ARGS__ }                                         \
    }
static void test_disagreements(void) {
    make_model(GOOD);
    check(model_is(GOOD, NULL), "a model that was just saved");
    TensorFile file = tensors_open(entry_of(GOOD), "a model");
    const Tensor cells = tensor_find(&file, "ngrams", "U8", 2);
    const size_t rows = tensor_find(&file, "embedding.weight", "F32", 2).shape[0];
    const size_t ngrams = cells.shape[0], huge = (size_t)1 << 40;
    uint8_t texts[5][4096];
    if (ngrams > 1000) exit(2);
    for (int i = 0; i < 4; i++) memcpy(texts[i], cells.data, 4 * ngrams);
    memset(texts[0], 0, 4);
    memcpy(texts[1], "a\0bc", 4);
    texts[2][4 * ngrams - 1] = 200;
    size_t last = ngrams - 1; /* an n-gram of three or four characters that has no child */
    while (!texts[3][4 * last + 1] || (last + 1 < ngrams && texts[3][4 * last + 5])) last--;
    texts[3][4 * last + 3] = 'Q';
    memcpy(texts[4], "\0\0th\0\0th", 8);
    static const uint8_t twins[] = {132, 132},
                         keys[][2] = {{0, 3},   {41, 3},  {100, 3}, {105, 3}, {128, 3},
                                      {169, 3}, {228, 3}, {231, 3}, {232, 3}, {255, 3}},
                         known[][2] = {{1, 40}, {101, 102}, {103, 104}},
                         twelve[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const struct {
        const char *name, *words;
        Tensor changes[3];
    } cases[] = {
        {"rows without their ngrams", "another number of rows", {DROPPED("ngrams")}},
        {"rows without their phrases", "another number of rows", {DROPPED("phrases")}},
        {"rows without their echoes", "another number of rows", {DROPPED("echoes")}},
        {"rows without their columns", "another number of rows", {DROPPED("columns")}},
        {"a row too few", "another number of rows", {SHAPED(E, 2, rows - 1, 3)}},
        {"an n-gram too few", "another number of rows", {SHAPED("ngrams", 2, ngrams - 1, 4)}},
        {"ngrams of another width", "as long as its order", {SHAPED("ngrams", 2, ngrams / 2, 8)}},
        {"a linear layer of 99 characters", "does not fit", {SHAPED(W, 2, 99, 3)}},
        {"a linear layer of another dim", "does not fit", {SHAPED(W, 2, 100, 2)}},
        {"99 biases", "does not fit", {SHAPED(B, 1, 99)}},
        {"dim 0", "dim is not from 1", {SHAPED(E, 2, rows, 0), SHAPED(W, 2, 100, 0)}},
        {"dim 5000", "dim is not from 1", {SHAPED(E, 2, 0, 5000)}},
        {"2^40 rows of no length", "dim is not from 1", {SHAPED(E, 2, huge, 0)}},
        {"2^40 n-grams of no length", "as long as its order", {SHAPED("ngrams", 2, huge, 0)}},
        {"the same n-gram twice",
         "same text",
         {{.name = "ngrams", .rank = 2, .shape = {2, 4}, .data = texts[4]},
          SHAPED(E, 2, rows - ngrams + 2, 3)}},
        {"twelve echoes",
         "more echoes",
         {{.name = "echoes", .rank = 1, .shape = {12}, .data = twelve}}},
        {"the same key twice", "the same key", {HOLDING("echoes", twins)}},
        {"80 columns", "columns", {SHAPED("columns", 1, 80)}},
        {"an n-gram that is empty", "row", {HOLDING("ngrams", texts[0])}},
        {"an n-gram with a zero inside", "row", {HOLDING("ngrams", texts[1])}},
        {"an n-gram that is not printable", "row", {HOLDING("ngrams", texts[2])}},
        {"an n-gram behind another's child", "row", {HOLDING("ngrams", texts[3])}},
        {"200 million phrases of no length",
         "pairs of a length",
         {SHAPED("phrases", 2, 200000000, 0)}}};
    static const Change changes[] = {
        {"order", {"0", "-1", "33", "3.5", "1e9", "nan", "inf"}, "order is not from 1 to 32"},
        {"min_count", {"-5", "1e300", "nan", "", "x"}, NULL},
        {"author", {"somebody"}, NULL}};
    for (size_t c = 0; c < COUNT(changes); c++)
        for (int v = 0; v < VALUES && changes[c].values[v]; v++) {
            copy_with(GOOD, CHANGED, NULL, changes[c].key, changes[c].values[v]);
            check(model_is(CHANGED, changes[c].words), "%s model: %s %s",
                  changes[c].words ? "no" : "a", changes[c].key, changes[c].values[v]);
        }
    for (int i = 0; i < 3; i++) {
        Tensor dropped = {.name = arrays[i], .dtype = "-"},
               other = {.name = arrays[i], .dtype = "I32"};
        check(changed_is(dropped, "lacks " E), "no model: %s missing", arrays[i]);
        check(changed_is(other, "as F32"), "no model: %s as I32", arrays[i]);
    }
    for (size_t i = 0; i < COUNT(keys); i++)
        check(changed_is((Tensor)HOLDING("echoes", keys[i]), "key that is not known"),
              "no model: an echo with key %d", keys[i][0]);
    for (size_t i = 0; i < COUNT(known); i++)
        check(changed_is((Tensor)HOLDING("echoes", known[i]), NULL),
              "a model: echoes with keys %d and %d", known[i][0], known[i][1]);
    for (size_t i = 0; i < COUNT(cases); i++) {
        copy_with(GOOD, CHANGED, cases[i].changes, NULL, NULL);
        check(model_is(CHANGED, cases[i].words), "no model: %s", cases[i].name);
    }
    /* a shape with a zero needs no bytes, so it must not make the reader ask for memory */
    long most = in_child(open_and_close, CHANGED).memory,
         good = in_child(open_and_close, GOOD).memory;
    check(most < good + 20000, "and they take no memory: %ld KB, %ld KB for a good model", most,
          good);
    TensorFile bare = {0};
    for (size_t i = 0; i < file.tensor_count; i++) tensor_add(&bare, file.tensors[i]);
    save(&bare, CHANGED);
    check(model_is(CHANGED, NULL), "a model: no metadata at all");
    tensors_close(&file);
}

/* Other programs need not pad a header: then no number stands where it could be used in place. */
static void test_unaligned(void) {
    TensorFile file = tensors_open(entry_of(GOOD), "a model");
    const uint8_t *bytes = file.bytes;
    const size_t length = file.header.length;
    for (size_t more = 1; more <= 3; more++) {
        Buffer copy = {0};
        for (int i = 0; i < 8; i++)
            buffer_bytes(&copy, &(uint8_t){(uint8_t)((uint64_t)(length + more) >> (8 * i))}, 1);
        buffer_bytes(&copy, bytes + 8, length);
        buffer_bytes(&copy, "   ", more);
        buffer_bytes(&copy, bytes + 8 + length, file.size - 8 - length);
        file_write(entry_of(CHANGED), copy.text, copy.length);
        buffer_free(&copy);
        SavedModel one = model_open(GOOD), other = model_open(CHANGED);
        const size_t rows = one.model.rows, dim = one.model.dim;
        check(!one.file.owned[0] && other.file.owned[0] && other.model.rows == rows &&
                  !memcmp(one.model.embedding, other.model.embedding, rows * dim * sizeof(float)) &&
                  !memcmp(one.model.linear, other.model.linear, linear_size(dim) * sizeof(float)) &&
                  !memcmp(one.vocabulary.count, other.vocabulary.count, rows * sizeof(uint32_t)),
              "a model whose numbers stand %zu bytes off is read alike", more);
        model_close(&one);
        model_close(&other);
    }
    tensors_close(&file);
}

/* ---- numbers that are not finite ---- */

static const float bad_numbers[] = {NAN, INFINITY, -INFINITY, -1};

/* Whoever uses numbers that are not finite says so: of characters, n-grams, the linear layer. */
static void test_not_finite(void) {
    static const char words[] = "not finite";
    static const char *const verbs[] = {"compare the cat", "row '\"he\"'", "near '\"he\"'",
                                        "--out " FOLDER " export", "--out " FOLDER " report"};
    for (int a = 0; a < 3; a++)
        for (int n = 0; n < 3; n++) {
            double bad = (double)bad_numbers[n];
            Tensor spoilt = spoiled(GOOD, arrays[a], 0, 3, SIZE_MAX, bad_numbers[n]);
            copy_with(GOOD, CHANGED, (Tensor[]){spoilt, {0}}, NULL, NULL);
            check(refuses(words, "exec ./sample -s 1 -n 20 --model " CHANGED " cat"),
                  "refused by sample: %s with %g", arrays[a], bad);
            check(refuses("its numbers are damaged",
                          "exec ./sample --score data/README.md --model " CHANGED),
                  "refused by sample --score: %s with %g", arrays[a], bad);
            check(refuses("its numbers are damaged",
                          "exec ./sample --score data/README.md --adapt --model " CHANGED),
                  "refused by sample --score --adapt: %s with %g", arrays[a], bad);
            if (n == 1)
                check(refuses(words, "exec ./embed --model " CHANGED),
                      "refused by embed: %s with %g", arrays[a], bad);
        }
    copy_with(GOOD, CHANGED, (Tensor[]){spoiled(GOOD, E, 0, 1, SIZE_MAX, 3e38f), {0}}, NULL, NULL);
    check(refuses("its numbers are damaged",
                  "exec ./sample --score data/README.md --adapt --model " CHANGED),
          "refused by sample --score --adapt: rows whose sums are no finite numbers");
    copy_with(GOOD, CHANGED, (Tensor[]){spoiled(GOOD, E, 300, 3, SIZE_MAX, NAN), {0}}, NULL, NULL);
    for (size_t v = 0; v < COUNT(verbs); v++)
        check(refuses(words, "exec ./embed --model " CHANGED " %s", verbs[v]),
              "refused: n-grams with NaN: embed %s", verbs[v]);
}

static void save_not_finite(const void *path) {
    SavedModel saved = model_open(path);
    saved.model.embedding[5] = NAN; /* mapped private: the file keeps its bytes */
    model_file(path, &saved.model, &saved.vocabulary, saved.vocabulary.count, (Metadata){0});
}

#define RESUME "exec ./train -q -t 1 --resume --out " FOLDER "/run " FOLDER "/text"

/* A run to resume, whose checkpoint is changed. At such a rate the first model is the best: the
   checkpoint holds its own weights. */
static void test_changed_checkpoints(void) {
    static const char kept[] = FOLDER "/kept.safetensors",
                      checkpoint[] = FOLDER "/run/checkpoint.safetensors";
    static const char *const dropped[] = {"dim", E, "optimizer." E ".sum", "optimizer." B ".sum"};
    static const Change changes[] = {
        {"exact_val_loss", {"nan", "inf", "-1", "1e300", "x"}, "out of range"},
        {"train_sum", {"-inf", "-1e300", "1e300", "-1", ""}, "out of range"},
        {"train_positions", {"-1", "1e15", "0.5", "x"}, "out of range"},
        {"since_best", {"-1", "5", "0.5", "x"}, "out of range"},
        {"best_step", {"99999999999", "-1", "0.5", "nan"}, "out of range"},
        {"step", {"1e300", "0.5", "-1", "9999", "-10"}, "out of range"},
        {"random.position", {"0.5", "625", "nan", "-1"}, "out of range"},
        {"order", {"99"}, "is no value for --order"},
        {"order", {"9"}, "missing or has another shape"},
        {"lr", {"x.1"}, "is no value for --lr"},
        {"dim", {"0", "\177"}, "is no value for --dim"},
        {"batch", {"1048577"}, "is no value for --batch"},
        {"optimizer", {"sgd"}, "options are not of the run"},
        {"text_fingerprint", {"0"}, "another text"},
        {"dim", {"5", "4096"}, E " is missing or has another shape"},
    };
    command("cd " FOLDER " && head -c 4000 ../../../data/text.txt > text && ../../../train -q -t 1 "
            "--dim 4 --order 3 --lr 30 --out run text && mv run/checkpoint.safetensors "
            "kept.safetensors");
    for (int a = 0; a < 6; a++)
        for (int n = 0; n < (a < 3 ? 3 : 4); n++) {
            Tensor spoilt = spoiled(kept, arrays[a], a ? 0 : 500, 3, SIZE_MAX, bad_numbers[n]);
            copy_with(kept, checkpoint, (Tensor[]){spoilt, {0}}, NULL, NULL);
            check(refuses("numbers that are not finite", RESUME), "--resume refuses %s with %g",
                  arrays[a], (double)bad_numbers[n]);
        }
    for (size_t d = 0; d < COUNT(dropped); d++) {
        Tensor change[] = {DROPPED(dropped[d]), {0}};
        copy_with(kept, checkpoint, change, d ? NULL : "dim", NULL);
        check(refuses(d ? "is missing or has another shape" : "its dim is missing", RESUME),
              "--resume refuses a checkpoint without %s", dropped[d]);
    }
    long memory[2] = {0}; /* of the last two changes: dim 5 and dim 4096 */
    for (size_t c = 0; c < COUNT(changes); c++)
        for (int v = 0; v < VALUES && changes[c].values[v]; v++) {
            copy_with(kept, checkpoint, NULL, changes[c].key, changes[c].values[v]);
            Child child = in_child(run_command, RESUME);
            check(ended(&child, 1, changes[c].words), "--resume refuses a checkpoint with %s %s",
                  changes[c].key, changes[c].values[v]);
            memory[v % 2] = child.memory;
        }
    check(memory[1] < memory[0] + 10000,
          "and takes no memory for dim 4096: %ld KB, %ld KB with dim 5", memory[1], memory[0]);
    command("cd " FOLDER " && mv kept.safetensors run/checkpoint.safetensors && rm run/loss.csv && "
            "mkfifo run/loss.csv");
    check(ends(run_command, RESUME, 0, "loss.csv: is missing or damaged"),
          "--resume does not wait at a FIFO in the place of its loss log");
    command("rm -r " FOLDER "/run");
}

/* ---- what is no file to map ---- */

static void read_while_it_shrinks(const void *path) {
    SavedModel saved = model_open(path);
    if (truncate(path, 100)) _exit(3);
    float sum = 0;
    for (size_t i = 0; i < saved.model.rows * saved.model.dim; i++) sum += saved.model.embedding[i];
    _exit(sum == 12345 ? 4 : 5);
}

static void test_files(void) {
    static const struct {
        const char *make, *name, *words;
    } files[] = {{"ln -s good.safetensors", "a symlink to one", NULL},
                 {"ln -s nowhere", "a symlink to nothing", "no such file"},
                 {"ln -s other", "a symlink to itself", "cannot be opened"},
                 {"mkfifo", "a FIFO that nobody writes", "no regular file"},
                 {"mkdir", "a directory", "no regular file"},
                 {"ln -s /dev/zero", "a device", "no regular file"},
                 {": >", "an empty file", "it is empty"},
                 {":", "no such file", "no such file"}};
    char text[200], longest[5000] = "";
    for (size_t f = 0; f < COUNT(files); f++) {
        snprintf(text, sizeof text, "cd " FOLDER " && rm -rf other && %s other", files[f].make);
        command(text);
        check(model_is(OTHER, files[f].words), "%s model: %s", files[f].words ? "no" : "a",
              files[f].name);
    }
    memset(longest, 'x', sizeof longest - 1);
    check(ends(open_and_close, longest, 1, "too long"), "no model: a name of 5000 characters");
    float *zeros = calloc(100 * 4096, sizeof *zeros);
    TensorFile large = {0};
    tensor_add(&large, tensor_of(E, "F32", 100, 4096, zeros));
    tensor_add(&large, tensor_of(W, "F32", 100, 4096, zeros));
    tensor_add(&large, tensor_of(B, "F32", 100, 0, zeros));
    save(&large, OTHER);
    free(zeros);
    check(model_is(OTHER, NULL), "a model: zeros without metadata");
    check(ends(read_while_it_shrinks, OTHER, 1, "cut short"),
          "a file that shrinks while it is mapped: one line");
    unlink(OTHER);
}

/* ---- writing ---- */

/* Keys and values to write, in pairs. */
static void write_pairs(const char *path, const char *const *pairs) {
    TensorFile file = {0};
    for (; *pairs; pairs += 2) metadata_add(&file.metadata, pairs[0], "%s", pairs[1]);
    save(&file, path);
}

static void test_metadata(void) {
    static const char odd[] =
        "\"quoted\" \\ back\nline\ttab \x01\x1f \x7f \xc3\xa9 \xf0\x9f\x98\x80";
    char large[10001] = "";
    memset(large, 'x', sizeof large - 1);
    const char *const pairs[] = {"odd", odd, odd, "as key", "empty", "", "long", large, NULL};
    write_pairs(OTHER, pairs);
    TensorFile file = tensors_open(entry_of(OTHER), "a test");
    for (const char *const *pair = pairs; *pair; pair += 2) {
        const char *value = metadata_find(&file, pair[0]);
        check(value && !strcmp(value, pair[1]), "metadata go round: key of %zu bytes, value of %zu",
              strlen(pair[0]), strlen(pair[1]));
    }
    check(metadata_find(&file, "none") == NULL && tensor_find(&file, "none", "F32", 1).data == NULL,
          "what is not there is not found");
    check(metadata_number(&file, "odd", 7) == 7 && metadata_number(&file, "empty", 8) == 8 &&
              metadata_number(&file, "none", 9) == 9,
          "metadata that are no numbers count as missing");
    tensors_close(&file);
}

/* Any bytes, as a metadata value, and back. */
static void test_escapes_of_bytes(void) {
    char every[256] = "";
    for (int i = 1; i < 256; i++) every[i - 1] = (char)i;
    const char *const texts[][2] = {
        {"plain/caf\xc3\xa9 \"it's\"\n\x7f", "plain/caf\xc3\xa9 \"it's\"\n\x7f"},
        {"", ""},
        {"caf\xe9.x", "caf\\xe9.x"},
        {"\\", "\\\\"},
        {"a\\xe9", "a\\\\xe9"},
        {"\\\xff", "\\\\\\xff"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xc0\x80\xf5", "\\xc0\\x80\\xf5"},
        {"\xf0\x9f\x98\x80\xe2\x82", "\xf0\x9f\x98\x80\\xe2\\x82"},
        {every, NULL}};
    size_t good = 0;
    for (size_t i = 0; i < COUNT(texts); i++) {
        char *escaped = text_escaped(texts[i][0]);
        write_pairs(OTHER, (const char *const[]){"key", escaped, NULL});
        TensorFile file = tensors_open(entry_of(OTHER), "a test");
        char *back = text_unescaped(metadata_find(&file, "key"));
        good += (!texts[i][1] || !strcmp(escaped, texts[i][1])) && !strcmp(back, texts[i][0]);
        free(escaped);
        free(back);
        tensors_close(&file);
    }
    check(good == COUNT(texts), "text of any bytes goes through a file: %zu of %zu", good,
          COUNT(texts));
}

static void write_value(const void *path) {
    write_pairs(path, (const char *const[]){"key", "caf\xe9", NULL});
}

static void write_key_twice(const void *path) {
    write_pairs(path, (const char *const[]){"key", "1", "key", "2", NULL});
}

static void write_name_twice(const void *path) {
    TensorFile file = {0};
    for (int i = 0; i < 2; i++) tensor_add(&file, tensor_of("a", "U8", 1, 0, "x"));
    save(&file, path);
}

static void write_one(const void *path) { file_write(entry_of(path), "x", 1); }

/* What cannot be written, or would not be read back: one line; what was there stays. */
static void test_writing_refused(void) {
    static const char folder[] = FOLDER "/is/a/folder";
    char longest[4090] = "";
    memset(longest, 'x', sizeof longest - 1);
    const struct {
        void (*action)(const void *);
        const char *path, *name, *words;
    } cases[] = {{write_value, GOOD, "a value that is no UTF-8", "cannot be written"},
                 {write_key_twice, GOOD, "a key twice", "cannot be written"},
                 {write_name_twice, GOOD, "a name twice", "cannot be written"},
                 {save_not_finite, GOOD, "NaN", "not written"},
                 {write_one, FOLDER "/no/such/file", "no such folder", "cannot be written"},
                 {write_one, longest, "a name that is too long", "cannot be written"},
                 {write_one, folder, "over a folder", "Is a directory"}};
    command("mkdir -p " FOLDER "/is/a/folder");
    for (size_t c = 0; c < COUNT(cases); c++)
        check(ends(cases[c].action, cases[c].path, 1, cases[c].words) &&
                  access(GOOD ".partial", F_OK) && access(FOLDER "/is/a/folder.partial", F_OK),
              "not written: %s", cases[c].name);
    check(model_is(GOOD, NULL), "a model: the file that stood there stays");
    file_write(entry_of(OTHER), "old", 3);
    file_write(entry_of(OTHER ".partial"), "left over by a run that was killed", 34);
    file_write(entry_of(OTHER), "newer", 5);
    Buffer text = {0};
    check(!file_read(entry_of(OTHER), &text) && !strcmp(text.text, "newer") &&
              access(OTHER ".partial", F_OK) != 0,
          "what a killed run left over is used and gone");
    buffer_free(&text);
}

/* Snapshots as no run takes them are not used. */
static void test_snapshots(void) {
    static const struct {
        int64_t steps[3];
        float value;
        bool good;
        const char *name;
    } kinds[] = {
        {{0, 5, 9}, 1, true, "as a run takes them"}, {{-1, 5, 9}, 1, false, "before the start"},
        {{0, 9, 5}, 1, false, "in another order"},   {{0, 5, 5}, 1, false, "twice of one step"},
        {{0, 5, 9}, NAN, false, "with NaN"},         {{0, 5, 9}, INFINITY, false, "with infinity"}};
    float *rows = calloc(3 * 100 * 4, sizeof *rows);
    const TensorFile none = {0};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        const Tensor shots = {
            .name = "snapshots", .dtype = "F32", .rank = 3, .shape = {3, 100, 4}, .data = rows};
        TensorFile file = {0};
        rows[1000] = kinds[k].value;
        tensor_add(&file, tensor_of("steps", "I64", 3, 0, kinds[k].steps));
        tensor_add(&file, shots);
        save(&file, OTHER);
        Snapshots snapshots = snapshots_start(4);
        bool taken = snapshots_load(&snapshots, entry_of(OTHER), &none);
        check(taken == kinds[k].good && snapshots.count == (taken ? 3 : 0), "snapshots %s",
              kinds[k].name);
        snapshots_free(&snapshots);
    }
    free(rows);
}

/* ---- numbers of any size ---- */

/* Runs a command (printf style) in the folder; the programs are $bin/embed ... */
static bool __attribute__((format(printf, 1, 2))) here(const char *format, ...) {
    char text[800], line[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line,
             "cd " FOLDER " && bin=../../.. && embed=\"$bin/embed --model changed.safetensors\" && "
             "bad='[^a-z](nan|inf)([^a-z]|$)' && %s",
             text);
    return system(line) == 0;
}

/* Finite numbers of any size are shown by each verb of embed, with no NaN and no infinity. */
static void test_numbers_of_any_size(void) {
    static const char kept[] = FOLDER "/any/model.safetensors";
    static const struct {
        const char *tensor;
        size_t from, step, count;
        float value;
        const char *name;
    } kinds[] = {{E, 14 * 4, 1, 4, 3.4e38f, "a row of 3.4e38"},
                 {E, 14 * 4, 1, 4, 1e-45f, "a row of 1e-45"},
                 {E, 0, 1, SIZE_MAX, -3.4e38f, "all rows of -3.4e38"},
                 {E, 0, 3, SIZE_MAX, 3.4e38f, "each third number 3.4e38"},
                 {E, 0, 1, SIZE_MAX, 0, "all rows of 0"},
                 {E, 0, 1, SIZE_MAX, 1e-38f, "all rows of 1e-38"},
                 {W, 0, 2, SIZE_MAX, -3.4e38f, "a linear layer of -3.4e38"},
                 {B, 0, 2, SIZE_MAX, 3.4e38f, "biases of 3.4e38"}};
    static const char *const verbs[] = {"",       "row e",
                                        "near e", "near 'the q'",
                                        "moved",  "compare 'the' 'and'",
                                        "export", "export --format map",
                                        "report"};
    static const char *const starts[][2] = {
        {"init-std", "1e300"}, {"init-std", "1e7"}, {"init-std", "nan"}, {"init-std", "-1"},
        {"init-std", "x"},     {"seed", "0.5"},     {"seed", "1e300"},   {"seed", "-1"}};
    if (!here("head -c 4000 $bin/data/text.txt > text && "
              "$bin/train -q -t 1 --dim 4 --order 3 --out any text"))
        exit(2);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        Tensor changed = spoiled(kept, kinds[k].tensor, kinds[k].from, kinds[k].step,
                                 kinds[k].count, kinds[k].value);
        copy_with(kept, CHANGED, (Tensor[]){changed, {0}}, NULL, NULL);
        for (size_t v = 0; v < COUNT(verbs); v++)
            check(here("$embed %s > said 2>&1 && ! grep -v '^file' said | grep -iE \"$bad\"",
                       verbs[v]),
                  "embed %s: %s", verbs[v], kinds[k].name);
        check(here("! cat report.html map.tsv vectors.tsv | sed '/<pre>/,/<.pre>/d' | "
                   "grep -iE \"$bad\""),
              "embed's files: %s", kinds[k].name);
    }
    for (size_t i = 0; i < COUNT(starts); i++) {
        copy_with(kept, CHANGED, NULL, starts[i][0], starts[i][1]);
        check(refuses("not known", "exec ./embed --model " CHANGED " moved"),
              "embed moved: a model of %s %s", starts[i][0], starts[i][1]);
        check(
            here("$embed report > said && grep -q 'how far they moved is not known' report.html && "
                 "$embed row e | grep -q 'start is not known'"),
            "embed report and row: a model of %s %s", starts[i][0], starts[i][1]);
    }
    copy_with(kept, OTHER, NULL, "unigram_entropy", "inf");
    copy_with(OTHER, CHANGED, NULL, "conditional_entropy", "-1e300");
    check(
        here("{ head -n 1 any/loss.csv; for i in 1 2 3; do echo \"$i,0,$i,1e38,1e38,1e38,0.1,1\"; "
             "done; } > loss.csv; $embed report > said && grep -q '^1,0,1,1e38' report.html && "
             "! grep -v '^unigram\\|^conditional\\|^baselines' report.html | grep -iE \"$bad\""),
        "embed report: losses of 1e38, entropies that are none");
    command("rm -r " FOLDER "/any " FOLDER "/loss.csv");
}

int main(void) {
    command("rm -rf " FOLDER " && mkdir -p " FOLDER);
    test_rules();
    test_reference_errors();
    test_made_headers();
    test_prefixes_and_bytes();
    test_disagreements();
    test_size();
    test_adopt();
    test_unaligned();
    test_not_finite();
    test_changed_checkpoints();
    test_files();
    test_metadata();
    test_escapes_of_bytes();
    test_writing_refused();
    test_snapshots();
    test_numbers_of_any_size();
    return 0;
}

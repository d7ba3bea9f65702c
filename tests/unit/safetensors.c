/* Every rule of safetensors has a test by its name; then models whose parts disagree, and what is no file to map. */
#include "../../lib/checkpoint.h"
#include "../../lib/format.h"
#include "../../lib/snapshots.h"
#include "../check.h"
#include "breaches.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "build/test/safetensors"
static char folder[] = FOLDER;

static char *in_folder(const char *name) {
    static char path[4][4096];
    static int next;
    char *result = path[next++ % 4];
    snprintf(result, 4096, "%s/%s", folder, name);
    return result;
}

typedef struct {
    const char *key, *value;
} Pair;

/* Writes a file of these tensors and metadata. */
static void put(const char *path, const Tensor *tensors, size_t count, const Pair *pairs,
                size_t pair_count) {
    TensorFile file = {0};
    Writer writer = {0};
    for (size_t i = 0; i < count; i++) tensor_add(&file, tensors[i]);
    for (size_t i = 0; i < pair_count; i++)
        metadata_add(&file.metadata, pairs[i].key, "%s", pairs[i].value);
    tensors_prepare(&file, path);
    tensors_write(&file, &writer, entry_of(path));
    writer_finish(&writer);
    tensors_close(&file);
}

/* ---- the rules of the format ------------------------------------------------------------------ */

/* The bytes stand in a block of exactly their size, so that a tool like AddressSanitizer sees a read beyond. */
static bool parses(const uint8_t *bytes, size_t size, const char **reason) {
    uint8_t *exact = malloc(size ? size : 1);
    TensorFile file;
    memcpy(exact, bytes, size);
    *reason = tensors_parse(&file, exact, size);
    bool good = !*reason;
    if (good) tensors_close(&file); /* bytes are not mapped: only the header's memory is freed */
    free(exact);
    return good;
}

static void test_rules(void) {
    const char *reason;
    for (size_t i = 0; i < BREACHES; i++) {
        size_t size;
        uint8_t *bytes = breach_bytes(&breaches[i], &size);
        bool good = parses(bytes, size, &reason);
        if (!breaches[i].reason)
            check(good, "accepted: %s%s%s", breaches[i].name,
                  good ? "" : ": refused: ", good ? "" : reason);
        else if (good)
            check(false, "refused: %s: was accepted", breaches[i].name);
        else
            check(strstr(reason, breaches[i].reason) != NULL, "refused: %s%s%s", breaches[i].name,
                  strstr(reason, breaches[i].reason) ? "" : ": but as: ",
                  strstr(reason, breaches[i].reason) ? "" : reason);
        free(bytes);
    }
    const uint8_t seven[7] = {0};
    check(!parses(seven, 0, &reason) && strstr(reason, "shorter"), "refused: an empty file");
    check(!parses(seven, 7, &reason) && strstr(reason, "shorter"),
          "refused: header too small: seven bytes");
}

/* What the reference implementation's SafeTensorError can say of a file (safetensors 0.4 to 0.7, src/tensor.rs; its other values are
   of writing), and which of the breaches above mean it. */
static void test_reference_errors(void) {
    static const struct {
        const char *error, *breaches[4];
    } errors[] = {
        {"InvalidHeader", {"not UTF-8: a lone continuation", "not UTF-8: 0xff"}},
        {"InvalidHeaderStart", {"begins with a space", "begins with ["}},
        {"InvalidHeaderDeserialization",
         {"header too small: one byte", "not JSON: no end", "metadata that is no string",
          "unknown dtype"}},
        {"HeaderTooLarge",
         {"header too large: 100 MB and a byte", "header too large: 2^63",
          "header too large: all bits"}},
        {"InvalidHeaderLength",
         {"length beyond the file by a byte", "length beyond the file by much"}},
        {"InvalidOffset",
         {"hole before the first tensor", "hole between tensors", "overlap by a byte",
          "overlap: both at one place"}},
        {"TensorInvalidInfo",
         {"size below shape x dtype", "size above shape x dtype", "offsets the wrong way round"}},
        {"ValidationOverflow",
         {"overflow in shape", "overflow in shape times dtype",
          "overflow in shape to the right size"}},
        {"MetadataIncompleteBuffer",
         {"data cut short by a byte", "no data", "trailing byte", "data without tensors"}}};
    const char *reason;
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
        for (size_t b = 0; b < 4 && errors[e].breaches[b]; b++) {
            size_t size, i = 0;
            while (i < BREACHES && strcmp(breaches[i].name, errors[e].breaches[b])) i++;
            uint8_t *bytes = i < BREACHES ? breach_bytes(&breaches[i], &size) : NULL;
            check(bytes && !parses(bytes, size, &reason), "SafeTensorError::%s: %s",
                  errors[e].error, errors[e].breaches[b]);
            free(bytes);
        }
    const uint8_t seven[7] = {0};
    check(!parses(seven, 7, &reason) && strstr(reason, "shorter"),
          "SafeTensorError::HeaderTooSmall: seven bytes");
    TensorFile file;
    Breach one = {"", ONE("U8", "[1]", "[0,1]"), 0, 1, NULL};
    size_t size;
    uint8_t *bytes = breach_bytes(&one, &size);
    bool good = !tensors_parse(&file, bytes, size);
    check(good && tensor_find(&file, "a", "U8", 1) && !tensor_find(&file, "b", "U8", 1) &&
              !tensor_find(&file, "a", "I8", 1) && !tensor_find(&file, "a", "U8", 2),
          "SafeTensorError::TensorNotFound: no such name, or of another dtype or rank");
    if (good) tensors_close(&file);
    free(bytes);
}

/* Strings that no constant holds. */
static void test_made_headers(void) {
    const char *reason;
    enum { DEEP = 1000000 };
    char *header = malloc(2 * DEEP + 100);
    for (int kind = 0; kind < 4; kind++) {
        static const char *const before[] = {
            "{\"a\":", "{\"a\":", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1],\"shape\":",
            "{\"__metadata__\":"};
        static const char *const opening[] = {"[", "{\"", "[", "{\""};
        strcpy(header, before[kind]);
        size_t length = strlen(header);
        for (int i = 0; i < DEEP; i++)
            header[length++] = opening[kind][i % (int)strlen(opening[kind])];
        header[length] = '\0';
        Breach breach = {"", header, 0, 1, ""};
        size_t size;
        uint8_t *bytes = breach_bytes(&breach, &size);
        check(!parses(bytes, size, &reason), "refused: deep nesting, a million levels (%d)",
              kind + 1);
        free(bytes);
    }
    free(header);
    uint8_t nul[] = {5, 0, 0, 0, 0, 0, 0, 0, '{', '"', 0, '"', '}'};
    check(!parses(nul, sizeof nul, &reason), "refused: a NUL byte in a name");
    uint8_t nul_outside[] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}', 0};
    check(!parses(nul_outside, sizeof nul_outside, &reason), "refused: a NUL byte behind the JSON");
}

/* A name's escapes become UTF-8: one to four bytes for a character. */
static void test_escapes(void) {
    TensorFile file;
    Breach breach = {"",
                     "{\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\n\":{\"dtype\":\"U8\",\"shape\":[1],"
                     "\"data_offsets\":[0,1]}}",
                     0, 1, NULL};
    size_t size;
    uint8_t *bytes = breach_bytes(&breach, &size);
    bool good = !tensors_parse(&file, bytes, size);
    check(good && tensor_find(&file, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n", "U8", 1),
          "escapes in a name become UTF-8 of one, two, three and four bytes");
    if (good) tensors_close(&file);
    free(bytes);
}

/* Every prefix of a good file, and every file that differs from it in one byte: refused or accepted, never a crash. */
static void test_prefixes_and_bytes(void) {
    const char *reason;
    Breach breach = {"", TWO("[0,4]", "[4,8]"), 0, 8, NULL};
    size_t size, accepted = 0, changed = 0;
    uint8_t *bytes = breach_bytes(&breach, &size);
    for (size_t length = 0; length < size; length++) accepted += parses(bytes, length, &reason);
    check(accepted == 0, "refused: every one of the %zu prefixes of a good file", size);
    accepted = 0;
    for (size_t i = 0; i < size - 8; i++)
        for (int value = 0; value < 256; value++) {
            uint8_t kept = bytes[i];
            if (kept == value) continue;
            bytes[i] = (uint8_t)value;
            accepted += parses(bytes, size, &reason);
            bytes[i] = kept;
            changed++;
        }
    check(accepted > 0 && accepted < changed / 20,
          "one byte changed: %zu of %zu headers are still valid (other names)", accepted, changed);
    free(bytes);
}

/* ---- models whose parts disagree -------------------------------------------------------------- */

typedef struct {
    int status;         /* of exit, or 1000 + the signal */
    char said[1 << 15]; /* on standard error */
    long kilobytes;     /* the most memory it had */
} Ending;

/* Runs an action in a process of its own. */
static Ending apart(void (*action)(const char *), const char *path) {
    Ending ending = {0};
    int ends[2];
    fflush(stdout);
    if (pipe(ends)) exit(2);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        action(path);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got;
         (got = read(ends[0], ending.said + length, sizeof ending.said - 1 - length)) > 0;)
        length += (size_t)got;
    close(ends[0]);
    int status;
    struct rusage usage;
    wait4(child, &status, 0, &usage);
    ending.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    ending.kilobytes = usage.ru_maxrss;
    return ending;
}

static void open_and_close(const char *path) {
    SavedModel saved = model_open(path);
    model_close(&saved);
}

static bool one_line(const char *text) {
    const char *end = strchr(text, '\n');
    return end && end > text && end[1] == '\0';
}

static void refuses(const char *path, const char *name, const char *words) {
    Ending ending = apart(open_and_close, path);
    bool good = ending.status == 1 && one_line(ending.said) && strstr(ending.said, words) &&
                strstr(ending.said, path);
    if (good)
        check(true, "no model: %s", name);
    else
        check(false, "no model: %s: status %d, it said: %s", name, ending.status, ending.said);
}

static void accepts(const char *path, const char *name) {
    Ending ending = apart(open_and_close, path);
    bool good = ending.status == 0 && !ending.said[0];
    if (good)
        check(true, "a model: %s", name);
    else
        check(false, "a model: %s: status %d, it said: %s", name, ending.status, ending.said);
}

static void make_model(const char *path) {
    static const char text[] =
        "the cat and the dog and the cat sat on the mat and the dog sat on the cat";
    uint8_t ids[sizeof text];
    for (size_t i = 0; i + 1 < sizeof text; i++) ids[i] = (uint8_t)id_of((unsigned char)text[i]);
    Team *team = team_start(1);
    RowOptions options = {.order = 4,
                          .min_count = 2,
                          .max_rows = 1000,
                          .phrases = true,
                          .columns = true,
                          .echoes = 2,
                          .echo_keys = {3, ECHO_WORDS + 1}};
    Vocabulary vocabulary = vocabulary_list(ids, sizeof text - 1, options);
    Model model = model_allocate(vocabulary.rows, 3);
    Random random = random_seeded(1);
    model_start(&model, &random, 1);
    Metadata metadata = {0};
    metadata_add(&metadata, "format", "pt");
    metadata_add(&metadata, "order", "4");
    Writer writer = {0};
    TensorFile file = model_file(path, &model, &vocabulary, vocabulary.count, metadata);
    tensors_prepare(&file, path);
    tensors_write(&file, &writer, entry_of(path));
    writer_finish(&writer);
    tensors_close(&file);
    model_free(&model);
    vocabulary_free(&vocabulary);
    team_end(team);
}

/* A copy of the model's list of tensors to be changed and written. */
typedef struct {
    TensorFile file;
    Tensor tensors[20];
    size_t count;
    Pair metadata[64];
    size_t pairs;
} Copy;

static Copy copy_of(const char *path) {
    Copy copy = {.file = tensors_open(entry_of(path), "a model")};
    copy.count = copy.file.tensor_count;
    memcpy(copy.tensors, copy.file.tensors, copy.count * sizeof(Tensor));
    const char *key = NULL;
    while ((key = metadata_next(&copy.file.metadata, key)))
        copy.metadata[copy.pairs++] = (Pair){key, metadata_value(key)};
    return copy;
}

static Tensor *named(Copy *copy, const char *name) {
    for (size_t i = 0; i < copy->count; i++)
        if (!strcmp(copy->tensors[i].name, name)) return &copy->tensors[i];
    exit(2);
}

static char *write_copy_to(const char *name, Copy *copy) {
    char *path = in_folder(name);
    put(path, copy->tensors, copy->count, copy->metadata, copy->pairs);
    tensors_close(&copy->file);
    return path;
}

static char *write_copy(Copy *copy) { return write_copy_to("changed.safetensors", copy); }

static void set_metadata(Copy *copy, const char *key, const char *value) {
    for (size_t p = 0; p < copy->pairs; p++)
        if (!strcmp(copy->metadata[p].key, key)) copy->metadata[p].value = (char *)value;
}

static void without(Copy *copy, const char *name) {
    *named(copy, name) = copy->tensors[copy->count - 1];
    copy->count--;
}

static void test_disagreements(void) {
    char *good = in_folder("good.safetensors");
    make_model(good);
    char kept[4096];
    strcpy(kept, good);
    accepts(kept, "one that was just saved");
    Copy copy;

    static const char *const needed[] = {"embedding.weight", "linear.weight", "linear.bias"};
    for (int i = 0; i < 3; i++) {
        copy = copy_of(kept);
        without(&copy, needed[i]);
        refuses(write_copy(&copy), needed[i], "lacks embedding.weight");
        copy = copy_of(kept);
        strcpy(named(&copy, needed[i])->dtype, "I32");
        refuses(write_copy(&copy), "a tensor with another dtype", "as F32");
    }
    static const char *const listed[] = {"ngrams", "phrases", "echoes", "columns"};
    for (int i = 0; i < 4; i++) {
        char name[64];
        copy = copy_of(kept);
        without(&copy, listed[i]);
        snprintf(name, sizeof name, "rows without their %s", listed[i]);
        refuses(write_copy(&copy), name, "another number of rows");
    }
    copy = copy_of(kept);
    named(&copy, "embedding.weight")->shape[0]--;
    refuses(write_copy(&copy), "rows that disagree with ngrams: one too few",
            "another number of rows");
    copy = copy_of(kept);
    named(&copy, "ngrams")->shape[0]--;
    refuses(write_copy(&copy), "rows that disagree with ngrams: an n-gram too few",
            "another number of rows");
    copy = copy_of(kept);
    named(&copy, "ngrams")->shape[0] /= 2;
    named(&copy, "ngrams")->shape[1] *= 2;
    refuses(write_copy(&copy), "ngrams of another width", "not as long as its order");
    copy = copy_of(kept);
    named(&copy, "linear.weight")->shape[0] = 99;
    refuses(write_copy(&copy), "a linear layer of 99 characters", "does not fit");
    copy = copy_of(kept);
    named(&copy, "linear.weight")->shape[1] = 2;
    refuses(write_copy(&copy), "a linear layer of another dim", "does not fit");
    copy = copy_of(kept);
    named(&copy, "linear.bias")->shape[0] = 99;
    refuses(write_copy(&copy), "99 biases", "does not fit");
    copy = copy_of(kept);
    named(&copy, "embedding.weight")->shape[1] = 0;
    named(&copy, "linear.weight")->shape[1] = 0;
    refuses(write_copy(&copy), "dim 0", "dim is not from 1");
    copy = copy_of(kept);
    named(&copy, "embedding.weight")->shape[0] = 0;
    named(&copy, "embedding.weight")->shape[1] = 5000;
    refuses(write_copy(&copy), "dim 5000", "dim is not from 1");

    static const char *const orders[] = {"0", "-1", "33", "3.5", "1e9", "nan", "inf"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        char name[64];
        copy = copy_of(kept);
        set_metadata(&copy, "order", orders[i]);
        snprintf(name, sizeof name, "order %s", orders[i]);
        refuses(write_copy(&copy), name, "order is not from 1 to 32");
    }
    static const char *const counts[] = {"-5", "1e300", "nan", "", "x"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char name[64];
        copy = copy_of(kept);
        copy.metadata[copy.pairs++] = (Pair){"min_count", (char *)counts[i]};
        snprintf(name, sizeof name, "a min_count of \"%s\", which nobody needs", counts[i]);
        accepts(write_copy(&copy), name);
    }
    copy = copy_of(kept);
    for (size_t p = 0; p < copy.pairs; p++) copy.metadata[p] = (Pair){"author", (char *)"somebody"};
    copy.pairs = 1;
    accepts(write_copy(&copy), "no metadata of ours");

    static const struct {
        const char *name;
        int at, value;
    } cell_changes[] = {{"an n-gram that is empty", 3, 0},
                        {"an n-gram with a zero inside", 3, -1},
                        {"an n-gram of bytes that are not printable", 3, 200},
                        {"an n-gram behind another's child", 3, 'Q'}};
    for (size_t i = 0; i < sizeof cell_changes / sizeof *cell_changes; i++) {
        copy = copy_of(kept);
        Tensor *ngrams = named(&copy, "ngrams");
        uint8_t *own = malloc(ngrams->shape[0] * 4);
        memcpy(own, ngrams->data, ngrams->shape[0] * 4);
        ngrams->data = own;
        if (i == 0)
            memset(own, 0, 4);
        else if (i == 1)
            memcpy(own, "a\0b", 4), own[3] = 'c';
        else
            own[ngrams->shape[0] * 4 - 4 + (size_t)cell_changes[i].at] =
                (uint8_t)cell_changes[i].value;
        refuses(write_copy(&copy), cell_changes[i].name, "row");
        free(own);
    }
    copy = copy_of(kept);
    {
        Tensor *ngrams = named(&copy, "ngrams");
        uint8_t own[2][4] = {{0, 0, 't', 'h'}, {0, 0, 't', 'h'}};
        size_t fewer = ngrams->shape[0] - 2;
        ngrams->data = own;
        ngrams->shape[0] = 2;
        named(&copy, "embedding.weight")->shape[0] -= fewer;
        refuses(write_copy(&copy), "the same n-gram twice", "same text");
    }
    static const uint8_t keys[][2] = {{0, 3}, {41, 3}, {100, 3}, {104, 3}, {255, 3}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char name[64];
        copy = copy_of(kept);
        named(&copy, "echoes")->data = keys[i];
        snprintf(name, sizeof name, "an echo with key %d", keys[i][0]);
        refuses(write_copy(&copy), name, "key that is not known");
    }
    copy = copy_of(kept);
    uint8_t twelve[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    named(&copy, "echoes")->data = twelve;
    named(&copy, "echoes")->shape[0] = 12;
    refuses(write_copy(&copy), "twelve echoes", "more echoes");
    copy = copy_of(kept);
    named(&copy, "columns")->shape[0] = 80;
    refuses(write_copy(&copy), "80 columns", "columns");

    /* A shape with a zero needs no bytes, so it must not make the reader ask for memory. */
    copy = copy_of(kept);
    named(&copy, "phrases")->shape[0] = 200000000;
    named(&copy, "phrases")->shape[1] = 0;
    char *path = write_copy(&copy);
    refuses(path, "200 million phrases of no length", "pairs of a length");
    Ending ending = apart(open_and_close, path), small = apart(open_and_close, kept);
    check(ending.kilobytes < small.kilobytes + 20000,
          "and they take no memory: %ld KB, %ld KB for a good model", ending.kilobytes,
          small.kilobytes);
    copy = copy_of(kept);
    named(&copy, "ngrams")->shape[0] = (size_t)1 << 40;
    named(&copy, "ngrams")->shape[1] = 0;
    refuses(write_copy(&copy), "2^40 n-grams of no length", "not as long as its order");
    copy = copy_of(kept);
    named(&copy, "embedding.weight")->shape[0] = (size_t)1 << 60;
    named(&copy, "embedding.weight")->shape[1] = 0;
    refuses(write_copy(&copy), "2^60 rows of no length", "dim is not from 1");
}

/* Other programs need not pad a header: then no tensor stands where its numbers could be used in place. */
static void test_unaligned(void) {
    static const char kept[] = FOLDER "/good.safetensors", path[] = FOLDER "/unaligned.safetensors";
    TensorFile file = tensors_open(entry_of(kept), "a model");
    const uint8_t *bytes = file.bytes;
    uint64_t length = 0;
    for (int i = 0; i < 8; i++) length |= (uint64_t)bytes[i] << (8 * i);
    for (size_t more = 1; more <= 3; more++) {
        uint64_t longer = length + more;
        uint8_t head[8];
        for (int i = 0; i < 8; i++) head[i] = (uint8_t)(longer >> (8 * i));
        FILE *out = fopen(path, "wb");
        fwrite(head, 1, 8, out);
        fwrite(bytes + 8, 1, length, out);
        fwrite("   ", 1, more, out);
        fwrite(bytes + 8 + length, 1, file.size - 8 - length, out);
        fclose(out);
        SavedModel one = model_open(kept), other = model_open(path);
        size_t size = one.model.rows * one.model.dim * sizeof(float);
        check(!one.file.owned[0] && other.file.owned[0] && other.model.rows == one.model.rows &&
                  !memcmp(one.model.embedding, other.model.embedding, size) &&
                  !memcmp(one.model.linear, other.model.linear,
                          linear_size(one.model.dim) * sizeof(float)) &&
                  !memcmp(one.vocabulary.count, other.vocabulary.count,
                          one.vocabulary.rows * sizeof(uint32_t)),
              "a model whose numbers stand %zu bytes off is read alike", more);
        model_close(&one);
        model_close(&other);
    }
    tensors_close(&file);
}

/* ---- numbers that are not finite -------------------------------------------------------------- */

static void test_not_finite(void) {
    char kept[4096];
    strcpy(kept, in_folder("good.safetensors"));
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int which = 0; which < 3; which++)
        for (int i = 0; i < 3; i++) {
            static const char *const names[] = {"embedding.weight", "linear.weight", "linear.bias"};
            char path[4096];
            Copy copy = copy_of(kept);
            Tensor *tensor = named(&copy, names[which]);
            size_t size = tensor->end - tensor->begin;
            float *own = malloc(size);
            memcpy(own, tensor->data, size);
            for (size_t f = 0; f < size / sizeof(float); f += 3) own[f] = bad[i];
            tensor->data = own;
            strcpy(path, write_copy(&copy));
            free(own);
            char command[8192];
            snprintf(command, sizeof command,
                     "./sample -s 1 -n 20 --model %s cat > /dev/null 2> %s/said; test $? -eq 1 && "
                     "grep -q 'not finite' %s/said && test $(wc -l < %s/said) -eq 1",
                     path, folder, folder, folder);
            check(system(command) == 0, "sample refuses %s with %s", names[which],
                  i == 0   ? "NaN"
                  : i == 1 ? "infinity"
                           : "-infinity");
            snprintf(command, sizeof command,
                     "./sample --score data/README.md --model %s > /dev/null 2> %s/said; test $? "
                     "-eq 1 && grep -q 'not finite' %s/said",
                     path, folder, folder);
            check(system(command) == 0, "sample --score refuses %s with %s", names[which],
                  i == 0   ? "NaN"
                  : i == 1 ? "infinity"
                           : "-infinity");
        }
}

/* Puts a number into a tensor, at one place and every third one behind it; returns the tensor's new bytes, for the caller to free. */
static float *spoil(Copy *copy, const char *name, size_t from, float value) {
    Tensor *tensor = named(copy, name);
    size_t size = tensor->end - tensor->begin;
    float *own = malloc(size);
    memcpy(own, tensor->data, size);
    for (size_t f = from; f < size / sizeof(float); f += 3) own[f] = value;
    tensor->data = own;
    return own;
}

static const char *const *program; /* what run_program runs */

static void run_program(const char *path) {
    (void)path;
    if (freopen("/dev/null", "w", stdout)) execv(program[0], (char *const *)program);
    _exit(127);
}

/* The program ends with status 1 and one line that says so. */
static Ending program_refuses(const char *const *arguments, const char *words, const char *name) {
    program = arguments;
    Ending ending = apart(run_program, NULL);
    bool good = ending.status == 1 && one_line(ending.said) && strstr(ending.said, words);
    if (good)
        check(true, "%s", name);
    else
        check(false, "%s: status %d, it said: %s", name, ending.status, ending.said);
    return ending;
}

/* Numbers that are not finite in rows beyond the characters, or in the linear layer: whoever uses them says so. */
static void test_not_finite_in_use(void) {
    static const char kept[] = FOLDER "/good.safetensors", path[] = FOLDER "/changed.safetensors",
                      words[] = "holds numbers that are not finite";
    Copy copy = copy_of(kept);
    float *own = spoil(&copy, "embedding.weight", 100 * 3, NAN);
    write_copy(&copy);
    free(own);
    program_refuses(
        (const char *const[]){"./embed", "--model", path, "compare", "the", "cat", NULL}, words,
        "embed compare refuses n-grams with NaN");
    program_refuses((const char *const[]){"./embed", "--model", path, "row", "\"he\"", NULL}, words,
                    "embed row refuses an n-gram with NaN");
    program_refuses((const char *const[]){"./embed", "--model", path, "near", "\"he\"", NULL},
                    words, "embed near refuses an n-gram with NaN");
    program_refuses(
        (const char *const[]){"./embed", "--model", path, "--out", folder, "export", NULL}, words,
        "embed export refuses n-grams with NaN");
    program_refuses(
        (const char *const[]){"./embed", "--model", path, "--out", folder, "report", NULL}, words,
        "embed report refuses n-grams with NaN");
    static const char *const layers[] = {"embedding.weight", "linear.weight", "linear.bias"};
    for (int i = 0; i < 3; i++) {
        char name[64];
        copy = copy_of(kept);
        own = spoil(&copy, layers[i], 0, INFINITY);
        write_copy(&copy);
        free(own);
        snprintf(name, sizeof name, "embed refuses %s with infinity", layers[i]);
        program_refuses((const char *const[]){"./embed", "--model", path, NULL}, words, name);
    }
}

/* A run to resume, whose checkpoint is changed. At such a rate the first model is the best: the checkpoint holds its own weights. */
static void test_changed_checkpoints(void) {
    static const char kept[] = FOLDER "/kept.safetensors";
    static const char *const resume[] = {"./train", "-q",          "-t",           "1", "--resume",
                                         "--out",   FOLDER "/run", FOLDER "/text", NULL};
    int status = system("cd " FOLDER " && head -c 4000 ../../../data/text.txt > text && "
                        "../../../train -q -t 1 --dim 4 --order 3 --lr 30 --out run "
                        "text && mv run/checkpoint.safetensors kept.safetensors");
    if (!check(status == 0, "a run to be resumed")) return;
    static const char *const tensors[] = {"embedding.weight",
                                          "linear.weight",
                                          "linear.bias",
                                          "optimizer.embedding.weight.sum",
                                          "optimizer.linear.weight.sum",
                                          "optimizer.linear.bias.sum"};
    static const struct {
        const char *name;
        float value;
    } bad[] = {{"NaN", NAN}, {"infinity", INFINITY}, {"-infinity", -INFINITY}, {"-1", -1}};
    for (int i = 0; i < 6; i++)
        for (int b = 0; b < (i < 3 ? 3 : 4); b++) {
            char name[128];
            Copy copy = copy_of(kept);
            float *own = spoil(&copy, tensors[i], i == 0 ? 500 : 0, bad[b].value);
            write_copy_to("run/checkpoint.safetensors", &copy);
            free(own);
            snprintf(name, sizeof name, "--resume refuses %s with %s", tensors[i], bad[b].name);
            program_refuses(resume, "numbers that are not finite", name);
        }
    static const struct {
        const char *key, *value, *words;
    } pairs[] = {{"exact_val_loss", "nan", "out of range"},
                 {"exact_val_loss", "inf", "out of range"},
                 {"exact_val_loss", "-1", "out of range"},
                 {"exact_val_loss", "1e300", "out of range"},
                 {"exact_val_loss", "x", "out of range"},
                 {"train_sum", "-inf", "out of range"},
                 {"train_sum", "-1e300", "out of range"},
                 {"train_sum", "1e300", "out of range"},
                 {"train_sum", "-1", "out of range"},
                 {"train_sum", "", "out of range"},
                 {"train_positions", "-1", "out of range"},
                 {"train_positions", "1e15", "out of range"},
                 {"train_positions", "0.5", "out of range"},
                 {"train_positions", "x", "out of range"},
                 {"since_best", "-1", "out of range"},
                 {"since_best", "5", "out of range"},
                 {"since_best", "0.5", "out of range"},
                 {"since_best", "x", "out of range"},
                 {"best_step", "99999999999", "out of range"},
                 {"best_step", "-1", "out of range"},
                 {"best_step", "0.5", "out of range"},
                 {"best_step", "nan", "out of range"},
                 {"step", "1e300", "out of range"},
                 {"step", "0.5", "out of range"},
                 {"step", "-1", "out of range"},
                 {"random.position", "0.5", "out of range"},
                 {"random.position", "625", "out of range"},
                 {"random.position", "nan", "out of range"},
                 {"order", "99", "is no value for --order"},
                 {"batch", "1048577", "is no value for --batch"},
                 {"optimizer", "sgd", "options are not of the run"},
                 {"text_fingerprint", "0", "another text"}};
    for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++) {
        char name[128];
        Copy copy = copy_of(kept);
        set_metadata(&copy, pairs[p].key, pairs[p].value);
        write_copy_to("run/checkpoint.safetensors", &copy);
        snprintf(name, sizeof name, "--resume refuses a checkpoint with %s %s", pairs[p].key,
                 pairs[p].value);
        program_refuses(resume, pairs[p].words, name);
    }
    Copy copy = copy_of(kept);
    set_metadata(&copy, "dim", "5");
    write_copy_to("run/checkpoint.safetensors", &copy);
    Ending small = program_refuses(resume, "embedding.weight is missing or has another shape",
                                   "--resume refuses a checkpoint that says dim 5 and has 4");
    copy = copy_of(kept);
    set_metadata(&copy, "dim", "4096");
    write_copy_to("run/checkpoint.safetensors", &copy);
    Ending large = program_refuses(resume, "embedding.weight is missing or has another shape",
                                   "--resume refuses a checkpoint that says dim 4096 and has 4");
    check(large.kilobytes < small.kilobytes + 10000,
          "and takes no memory for them: %ld KB, %ld KB with dim 5", large.kilobytes,
          small.kilobytes);
    if (system("cd " FOLDER " && mv kept.safetensors run/checkpoint.safetensors && rm run/loss.csv "
               "&& mkfifo run/loss.csv"))
        exit(2);
    program = resume;
    Ending ending = apart(run_program, NULL);
    check(ending.status == 0 && one_line(ending.said) &&
              strstr(ending.said, "loss.csv: is missing or damaged"),
          "--resume does not wait at a FIFO in the place of its loss log");
    if (system("rm -r " FOLDER "/run")) exit(2);
}

static void save_not_finite(const char *path) {
    SavedModel saved = model_open(path);
    Metadata metadata = {0};
    saved.model.embedding[5] = NAN; /* mapped private: the file keeps its bytes */
    model_file(path, &saved.model, &saved.vocabulary, saved.vocabulary.count, metadata);
}

static void test_saving_refuses(void) {
    char *path = in_folder("good.safetensors");
    Ending ending = apart(save_not_finite, path);
    check(ending.status == 1 && strstr(ending.said, "not written") && one_line(ending.said),
          "NaN is never saved");
    accepts(path, "the file that stood there stays");
}

/* ---- what is no file to map ------------------------------------------------------------------- */

static void read_while_it_shrinks(const char *path) {
    SavedModel saved = model_open(path);
    if (truncate(path, 100)) _exit(3);
    float sum = 0;
    for (size_t i = 0; i < saved.model.rows * saved.model.dim; i++) sum += saved.model.embedding[i];
    _exit(sum == 12345 ? 4 : 5);
}

static void make_large(const char *path) {
    Tensor tensors[] = {{.name = (char *)"embedding.weight",
                         .dtype = "F32",
                         .rank = 2,
                         .shape = {100, 4096},
                         .data = calloc(100 * 4096, 4)},
                        {.name = (char *)"linear.weight",
                         .dtype = "F32",
                         .rank = 2,
                         .shape = {100, 4096},
                         .data = calloc(100 * 4096, 4)},
                        {.name = (char *)"linear.bias",
                         .dtype = "F32",
                         .rank = 1,
                         .shape = {100},
                         .data = calloc(100, 4)}};
    put(path, tensors, 3, NULL, 0);
    for (int i = 0; i < 3; i++) free((void *)tensors[i].data);
}

static void test_files(void) {
    char *link = in_folder("link.safetensors"), *other = in_folder("other");
    unlink(link);
    unlink(other);
    if (symlink("good.safetensors", link)) exit(2);
    accepts(link, "a symlink to one");
    if (symlink("nowhere", other)) exit(2);
    refuses(other, "a symlink to nothing", "no such file");
    unlink(other);
    if (symlink("other", other)) exit(2);
    refuses(other, "a symlink to itself", "cannot be opened");
    unlink(other);
    if (mkfifo(other, 0600)) exit(2);
    refuses(other, "a FIFO that nobody writes", "no regular file");
    unlink(other);
    refuses(folder, "a directory", "no regular file");
    refuses("/dev/zero", "a device", "no regular file");
    refuses(in_folder("none"), "no such file", "no such file");
    fclose(fopen(other, "w"));
    refuses(other, "an empty file", "it is empty");
    unlink(other);
    char name[5000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    Ending ending = apart(open_and_close, name);
    check(ending.status == 1 && one_line(ending.said), "no model: a name of 5000 characters");

    char *large = in_folder("large.safetensors");
    make_large(large);
    accepts(large, "a model of zeros without metadata");
    ending = apart(read_while_it_shrinks, large);
    bool said = ending.status == 1 && strstr(ending.said, "cut short") && one_line(ending.said);
    check(said, "a file that shrinks while mapped: %s",
          said ? "one line and status 1" : ending.said);
    unlink(large);
}

/* ---- metadata, snapshots and the folder to write to ------------------------------------------- */

static void test_metadata_goes_round(void) {
    char *path = in_folder("metadata.safetensors");
    char odd[64] = "\"quoted\" \\ back\nline\ttab \x01\x1f \x7f \xc3\xa9 \xf0\x9f\x98\x80";
    Pair pairs[] = {{"odd", odd}, {odd, (char *)"as key"}, {"empty", (char *)""}};
    put(path, NULL, 0, pairs, 3);
    TensorFile file = tensors_open(entry_of(path), "a test");
    const char *value = metadata_find(&file, "odd"), *as_key = metadata_find(&file, odd),
               *empty = metadata_find(&file, "empty");
    check(value && !strcmp(value, odd) && as_key && !strcmp(as_key, "as key") && empty && !*empty,
          "metadata with quotes, controls and UTF-8 go round");
    check(metadata_find(&file, "none") == NULL && tensor_find(&file, "none", "F32", 1) == NULL,
          "what is not there is not found");
    check(metadata_number(&file, "odd", 7) == 7 && metadata_number(&file, "empty", 8) == 8 &&
              metadata_number(&file, "none", 9) == 9,
          "metadata that are no numbers count as missing");
    tensors_close(&file);
}

/* A header that cannot be read: a value that is no UTF-8, a key that stands twice, two tensors of
   one name. */
static void write_value(const char *path) {
    put(path, NULL, 0, &(Pair){"key", (char *)"caf\xe9"}, 1);
}

static void write_key_twice(const char *path) {
    Pair pairs[] = {{"key", (char *)"1"}, {"key", (char *)"2"}};
    put(path, NULL, 0, pairs, 2);
}

static void write_name_twice(const char *path) {
    Tensor tensors[2] = {
        {.name = (char *)"a", .dtype = "U8", .rank = 1, .shape = {1}, .data = "x"}};
    tensors[1] = tensors[0];
    put(path, tensors, 2, NULL, 0);
}

static void test_unreadable_is_not_written(void) {
    char *path = in_folder("whole.safetensors"), *partial = in_folder("whole.safetensors.partial");
    void (*const writers[])(const char *) = {write_value, write_key_twice, write_name_twice};
    static const char *const names[] = {"a value that is no UTF-8", "a key twice", "a name twice"};
    put(path, NULL, 0, &(Pair){"old", (char *)"yes"}, 1);
    for (int i = 0; i < 3; i++) {
        Ending ending = apart(writers[i], path);
        TensorFile file = tensors_open(entry_of(path), "a test");
        bool kept = metadata_find(&file, "old") && access(partial, F_OK) != 0;
        tensors_close(&file);
        check(ending.status == 1 && strstr(ending.said, "cannot be written") &&
                  one_line(ending.said) && kept,
              "what no reader would take is not written: %s", names[i]);
    }
}

/* Any bytes, as a metadata value, and back. */
static void test_escapes_of_bytes(void) {
    static const char *const texts[][2] = {
        {"plain/caf\xc3\xa9 \"it's\"\n\x7f", "plain/caf\xc3\xa9 \"it's\"\n\x7f"},
        {"", ""},
        {"caf\xe9.x", "caf\\xe9.x"},
        {"\\", "\\\\"},
        {"a\\xe9", "a\\\\xe9"},
        {"\\\xff", "\\\\\\xff"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xc0\x80\xf5", "\\xc0\\x80\\xf5"},
        {"\xf0\x9f\x98\x80\xe2\x82", "\xf0\x9f\x98\x80\\xe2\\x82"}};
    size_t good = 0, count = sizeof texts / sizeof *texts;
    for (size_t i = 0; i < count; i++) {
        char *escaped = text_escaped(texts[i][0]), *back = text_unescaped(escaped);
        good += !strcmp(escaped, texts[i][1]) && !strcmp(back, texts[i][0]);
        free(escaped);
        free(back);
    }
    check(good == count, "text of any bytes is written as UTF-8 and read back: %zu of %zu", good,
          count);
    char every[256] = "", *whole;
    for (int i = 1; i < 256; i++) every[i - 1] = (char)i;
    every[255] = '\0';
    char *escaped = text_escaped(every);
    put(in_folder("bytes.safetensors"), NULL, 0, &(Pair){"every", escaped}, 1);
    TensorFile file = tensors_open(entry_of(in_folder("bytes.safetensors")), "a test");
    whole = text_unescaped(metadata_find(&file, "every"));
    check(!strcmp(whole, every), "every byte goes through a file");
    free(whole);
    free(escaped);
    tensors_close(&file);
    Metadata metadata = {0};
    char *large = malloc(10001);
    memset(large, 'x', 10000);
    large[10000] = '\0';
    metadata_add(&metadata, "long", "%s", large);
    check(!strcmp(metadata_value(metadata_next(&metadata, NULL)), large),
          "a value of 10,000 characters is not cut off");
    buffer_free(&metadata);
    free(large);
}

/* Snapshots as no run takes them are not used. */
static void test_snapshots_out_of_range(void) {
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
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        rows[1000] = kinds[k].value;
        Tensor tensors[] = {{.name = (char *)"steps",
                             .dtype = "I64",
                             .rank = 1,
                             .shape = {3},
                             .data = kinds[k].steps},
                            {.name = (char *)"snapshots",
                             .dtype = "F32",
                             .rank = 3,
                             .shape = {3, 100, 4},
                             .data = rows}};
        put(in_folder("snapshots.safetensors"), tensors, 2, NULL, 0);
        TensorFile none = {0};
        Snapshots snapshots = snapshots_start(4);
        bool taken =
            snapshots_load(&snapshots, entry_of(in_folder("snapshots.safetensors")), &none);
        check(taken == kinds[k].good && snapshots.count == (taken ? 3 : 0), "snapshots %s",
              kinds[k].name);
        snapshots_free(&snapshots);
    }
    remove(in_folder("snapshots.safetensors"));
    free(rows);
}

/* Finite numbers of any size are shown by each verb of embed, with no NaN and no infinity. */
static void test_numbers_of_any_size(void) {
    static const char kept[] = FOLDER "/any/model.safetensors",
                      model[] = FOLDER "/changed.safetensors";
    static const struct {
        const char *tensor;
        size_t from, step, count;
        float value;
        const char *name;
    } kinds[] = {{"embedding.weight", 14 * 4, 1, 4, 3.4e38f, "a row of 3.4e38"},
                 {"embedding.weight", 14 * 4, 1, 4, 1e-45f, "a row of 1e-45"},
                 {"embedding.weight", 0, 1, SIZE_MAX, -3.4e38f, "all rows of -3.4e38"},
                 {"embedding.weight", 0, 3, SIZE_MAX, 3.4e38f, "each third number 3.4e38"},
                 {"embedding.weight", 0, 1, SIZE_MAX, 0, "all rows of 0"},
                 {"embedding.weight", 0, 1, SIZE_MAX, 1e-38f, "all rows of 1e-38"},
                 {"linear.weight", 0, 2, SIZE_MAX, -3.4e38f, "a linear layer of -3.4e38"},
                 {"linear.bias", 0, 2, SIZE_MAX, 3.4e38f, "biases of 3.4e38"}};
    static const char *const verbs[] = {"",       "row e",
                                        "near e", "near 'the q'",
                                        "moved",  "compare 'the' 'and'",
                                        "export", "export --format map",
                                        "report"};
    if (system("cd " FOLDER " && head -c 4000 ../../../data/text.txt > text && ../../../train -q "
               "-t 1 --dim 4 --order 3 --out any text"))
        exit(2);
    char command[1000];
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        Copy copy = copy_of(kept);
        Tensor *tensor = named(&copy, kinds[k].tensor);
        float *own = malloc(tensor->end - tensor->begin);
        memcpy(own, tensor->data, tensor->end - tensor->begin);
        for (size_t i = 0; i < kinds[k].count &&
                           kinds[k].from + i < (tensor->end - tensor->begin) / sizeof(float);
             i += kinds[k].step)
            own[kinds[k].from + i] = kinds[k].value;
        tensor->data = own;
        write_copy(&copy);
        free(own);
        for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
            snprintf(command, sizeof command,
                     "cd " FOLDER
                     " && ../../../embed --model changed.safetensors %s > said 2>&1 && ! grep -v "
                     "'^file' said | grep -i -E '[^a-z](nan|inf)([^a-z]|$)'",
                     verbs[v]);
            bool good = system(command) == 0;
            check(good, "embed %s: %s", verbs[v], kinds[k].name);
        }
        bool good = system("cd " FOLDER
                           " && ! cat report.html map.tsv vectors.tsv | sed '/<pre>/,/<.pre>/d' | "
                           "grep -i -E '[^a-z](nan|inf)([^a-z]|$)'") == 0;
        check(good, "embed's files: %s", kinds[k].name);
    }
    static const struct {
        const char *key, *value;
    } starts[] = {{"init-std", "1e300"}, {"init-std", "1e7"}, {"init-std", "nan"},
                  {"init-std", "-1"},    {"init-std", "x"},   {"seed", "0.5"},
                  {"seed", "1e300"},     {"seed", "-1"}};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        char name[100];
        Copy copy = copy_of(kept);
        set_metadata(&copy, starts[i].key, starts[i].value);
        write_copy(&copy);
        snprintf(name, sizeof name, "embed moved: a model of %s %s", starts[i].key,
                 starts[i].value);
        program_refuses((const char *const[]){"./embed", "--model", model, "moved", NULL},
                        "not known", name);
        snprintf(command, sizeof command,
                 "./embed --model %s report > /dev/null && grep -q 'how far they moved is not "
                 "known' " FOLDER
                 "/report.html && ./embed --model %s row e | grep -q 'start is not known'",
                 model, model);
        bool good = system(command) == 0;
        check(good, "embed report and row: a model of %s %s", starts[i].key, starts[i].value);
    }
    Copy copy = copy_of(kept);
    set_metadata(&copy, "unigram_entropy", "inf");
    set_metadata(&copy, "conditional_entropy", "-1e300");
    write_copy(&copy);
    if (system("cd " FOLDER " && { head -n 1 any/loss.csv; for i in 1 2 3; do echo "
               "\"$i,0,$i,1e38,1e38,1e38,0.1,1\"; done; } > loss.csv"))
        exit(2);
    snprintf(command, sizeof command,
             "cd " FOLDER " && ../../../embed --model changed.safetensors report > said && grep -q "
             "'^1,0,1,1e38' report.html && "
             "! grep -v '^unigram\\|^conditional\\|^baselines' report.html | grep -i -E "
             "'[^a-z](nan|inf)([^a-z]|$)'");
    bool good = system(command) == 0;
    check(good, "embed report: losses of 1e38, entropies that are none");
    if (system("rm -r " FOLDER "/any " FOLDER "/loss.csv")) exit(2);
}

static void write_one(const char *path) { file_write(entry_of(path), "x", 1); }

static void test_writing_refused(void) {
    char *path = in_folder("no/such/folder/file");
    Ending ending = apart(write_one, path);
    check(ending.status == 1 && strstr(ending.said, "cannot be written") && one_line(ending.said),
          "writing into a folder that is not there");
    char name[4090];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ending = apart(write_one, name);
    check(ending.status == 1 && one_line(ending.said), "writing to a name that is too long");
    path = in_folder("folder");
    mkdir(path, 0777);
    ending = apart(write_one, path);
    check(ending.status == 1 && strstr(ending.said, "Is a directory") && one_line(ending.said),
          "writing over a folder");
    char partial[4200];
    snprintf(partial, sizeof partial, "%s.partial", path);
    check(access(partial, F_OK) != 0, "and nothing is left behind");
    rmdir(path);
    path = in_folder("kept");
    file_write(entry_of(path), "old", 3);
    snprintf(partial, sizeof partial, "%s.partial", path);
    file_write(entry_of(partial), "left over by a run that was killed", 34);
    file_write(entry_of(path), "newer", 5);
    char text[64] = "";
    FILE *file = fopen(path, "r");
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    check(got == 5 && !strcmp(text, "newer") && access(partial, F_OK) != 0,
          "what a killed run left over is used and gone");
}

int main(void) {
    mkdir("build/test", 0777);
    mkdir(folder, 0777);
    test_rules();
    test_reference_errors();
    test_made_headers();
    test_escapes();
    test_prefixes_and_bytes();
    test_disagreements();
    test_unaligned();
    test_not_finite();
    test_not_finite_in_use();
    test_changed_checkpoints();
    test_saving_refuses();
    test_files();
    test_metadata_goes_round();
    test_unreadable_is_not_written();
    test_escapes_of_bytes();
    test_snapshots_out_of_range();
    test_numbers_of_any_size();
    test_writing_refused();
    return 0;
}

/* The express lane: the scores of a plain invocation, from the bytes of its request (docs/adr/0006-serving-stack.md).
 *
 * What is read here means to httptools what it means here. Whatever this file does not know for certain is left to
 * httptools and the careful path: another method, target or version, a body in pieces or in chunks, a header that
 * changes what follows, and everything that has to be refused. A request ends with a NUL, which is not of its length.
 */
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { NOT_PLAIN = 0, CSV = 0, JSON = 1, UNKNOWN = -1, MOST_DIGITS = 7 };

typedef struct {
    int32_t at, length;
} Span;

typedef struct {
    /* The model. */
    int64_t (*read)(const void *inputs, int32_t format, const char *text, int64_t length, void *sink);
    const void *inputs;
    void *sink;
    int64_t most_body_bytes;
    /* Where answers are counted; the histogram has a bucket more than bounds. */
    double *answered, *rows, *seconds, *buckets;
    const double *bounds;
    int64_t bounds_count;
    /* What the request says. */
    int32_t content_type, accept, length, named;
    Span request_id, inference_id;
} Lane;

static const char START[] = "POST /invocations HTTP/1.1\r\n";

static inline int in_name(char c) { /* a token, in RFC 9110's words */
    return (unsigned)((c | 32) - 'a') < 26 || (unsigned)(c - '0') < 10 || (c && strchr("-_!#$%&'*+.^`|~", c));
}

static inline int in_value(char c) { return c >= ' ' && c <= '~'; }

static int is(const char *text, int32_t length, const char *lower) {
    for (int32_t i = 0; i < length; i++)
        if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 32 : text[i]) != lower[i]) return 0;
    return !lower[length];
}

static int32_t media_type(const char *text, int32_t length) {
    if (length == sizeof "text/csv" - 1 && !memcmp(text, "text/csv", (size_t)length)) return CSV;
    return length == sizeof "application/json" - 1 && !memcmp(text, "application/json", (size_t)length) ? JSON : UNKNOWN;
}

static int32_t whole_number(const char *digits, int32_t length) {
    int32_t number = 0;
    if (length > MOST_DIGITS) return UNKNOWN;
    for (int32_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9') return UNKNOWN;
        number = number * 10 + digits[i] - '0';
    }
    return number;
}

/* Takes note of a value that may be given once. */
static int once(int32_t *known, int32_t value) {
    if (*known != UNKNOWN || value == UNKNOWN) return 0;
    *known = value;
    return 1;
}

static int once_at(Span *known, Span value) { return once(&known->at, value.at) && (known->length = value.length); }

/* Whether a request with this header is plain. */
static int header(Lane *lane, const char *data, Span name, Span value) {
    const char *named = data + name.at, *text = data + value.at;
    int32_t length = value.length;
    if (is(named, name.length, "content-length")) return length && once(&lane->length, whole_number(text, length));
    if (is(named, name.length, "content-type")) return once(&lane->content_type, media_type(text, length));
    if (is(named, name.length, "accept")) {
        int32_t any = length == 3 && !memcmp(text, "*/*", 3);
        return any ? lane->accept == UNKNOWN : once(&lane->accept, media_type(text, length));
    }
    if (is(named, name.length, "x-request-id")) return once_at(&lane->request_id, value);
    if (is(named, name.length, "x-amzn-sagemaker-inference-id")) return once_at(&lane->inference_id, value);
    if (is(named, name.length, "connection")) return is(text, length, "keep-alive");
    return !is(named, name.length, "x-amzn-sagemaker-custom-attributes") && !is(named, name.length, "expect") &&
           !is(named, name.length, "transfer-encoding") && !is(named, name.length, "upgrade") &&
           !is(named, name.length, "proxy-connection");
}

/* Reads the header line that begins at `at`; where the next one does, or NOT_PLAIN. */
static int32_t line(Lane *lane, const char *data, int32_t at) {
    Span name = {at, 0}, value;
    while (in_name(data[at])) at++;
    name.length = at - name.at;
    if (!name.length || data[at++] != ':') return NOT_PLAIN;
    while (data[at] == ' ') at++;
    value.at = at;
    while (in_value(data[at])) at++;
    value.length = at - value.at;
    if (data[at] != '\r' || data[at + 1] != '\n' || data[at - 1] == ' ') return NOT_PLAIN;
    return header(lane, data, name, value) ? at + 2 : NOT_PLAIN;
}

/* Where the body of a plain request begins, or NOT_PLAIN. */
static int32_t head(Lane *lane, const char *data, int64_t length) {
    int32_t at = sizeof START - 1;
    if (length > INT32_MAX || strncmp(data, START, sizeof START - 1)) return NOT_PLAIN;
    lane->content_type = lane->accept = lane->length = UNKNOWN;
    lane->request_id = lane->inference_id = (Span){UNKNOWN, 0};
    while (data[at] != '\r')
        if (!(at = line(lane, data, at))) return NOT_PLAIN;
    at += 2;
    if (data[at - 1] != '\n' || lane->content_type == UNKNOWN || lane->length <= 0) return NOT_PLAIN;
    if (lane->accept == UNKNOWN) lane->accept = lane->content_type;
    lane->named = lane->request_id.length + lane->inference_id.length;
    return lane->length <= lane->most_body_bytes && at + lane->length == length ? at : NOT_PLAIN;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void count(const Lane *lane, int64_t rows, double seconds) {
    int64_t bucket = 0;
    while (bucket < lane->bounds_count && lane->bounds[bucket] < seconds) bucket++;
    lane->buckets[bucket] += 1.0;
    *lane->answered += 1.0;
    *lane->rows += (double)rows;
    *lane->seconds += seconds;
}

/* Scores the rows of the one whole request in `data`, into the sink's scores; how many there are, or NOT_PLAIN. */
int64_t sagestack_express(Lane *lane, const char *data, int64_t length) {
    double began = now();
    int32_t body = head(lane, data, length);
    if (body == NOT_PLAIN) return NOT_PLAIN;
    int64_t rows = lane->read(lane->inputs, lane->content_type, data + body, lane->length, lane->sink);
    if (rows <= 0) return NOT_PLAIN;
    count(lane, rows, now() - began);
    return rows;
}

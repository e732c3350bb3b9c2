/*
 * The configuration as one immutable, counted snapshot: the YAML file and everything that it names. config/load.h makes a
 * snapshot, and only of a file without a problem; this header is all that the other folders need.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/address.h"
#include "config/problems.h"
#include "guard/hello.h"
#include "guard/holders.h"
#include "guard/prefix.h"
#include "guard/sources.h"
#include "http/removals.h"
#include "identity/identity.h"
#include "tls/credentials.h"

#include <stdatomic.h>

enum {
    CONFIG_ORIGIN_ADDRESSES_MAX = 1024, /* for each host, all names resolved; so a host has no more origins than these */
    CONFIG_CERTIFICATES_MAX = 3,        /* for each host: one of each kind of key */
    CONFIG_HEADER_LINES_MAX = 8 * 1024, /* bytes of the header lines of one direction that are the same for all clients */
    CONFIG_WEIGHT_MAX = 256,
    CONFIG_IN_FLIGHT_MAX = 1000000,
    CONFIG_STATUSES_MAX = 16, /* items of health.status */
};

enum config_mode { CONFIG_OFF, CONFIG_REPORT, CONFIG_ENFORCE };

/*
 * The hybrid groups with ML-KEM in TLS 1.3. AUTO: taken if the client has sent a share of one, or no other usable share.
 * STRICT: taken if the client has one, for which it may have to send a second hello. OFF: not taken.
 */
enum config_post_quantum { CONFIG_POST_QUANTUM_AUTO, CONFIG_POST_QUANTUM_STRICT, CONFIG_POST_QUANTUM_OFF };

/* The PROXY header with which each connection to an origin begins. */
enum config_origin_proxy { CONFIG_ORIGIN_PROXY_OFF, CONFIG_ORIGIN_PROXY_V1, CONFIG_ORIGIN_PROXY_V2 };

/* How an origin is chosen for a request: see relay/balance.h. */
enum config_balance { CONFIG_ROUND_ROBIN, CONFIG_LEAST_CONNECTIONS, CONFIG_HASH };

/* Why a request that may be repeated is sent once more, as bits. */
enum config_retry_cause {
    CONFIG_RETRY_REFUSED =
        1, /* the connection ended before an answer began, or the origin said that it does not serve now */
    CONFIG_RETRY_TIMEOUT = 2, /* the answer did not begin in time */
    CONFIG_RETRY_502 = 4,
    CONFIG_RETRY_503 = 8,
};

/* HTTP statuses from `first` to `last`, both included. */
struct config_statuses {
    uint16_t first;
    uint16_t last;
};

/* How the origins of a host are probed: `health` of the file. */
struct config_health {
    char *path; /* of the GET that is sent; NULL: a connection that can be made is enough */
    uint32_t interval_ms;
    uint32_t timeout_ms; /* for a whole probe: the connection, and the head of the answer */
    uint32_t rise;       /* good probes in a row, until an origin that was down is up; at least 1 */
    uint32_t fall;       /* failed ones in a row, until one that was up is down; at least 1 */
    struct config_statuses statuses[CONFIG_STATUSES_MAX]; /* of good answers */
    size_t status_count;                                  /* 0: without a path */
};

/* Returns the mode's word in the file. */
const char *config_mode_name(enum config_mode mode);

/* One item of `listen`. */
struct config_listener {
    struct config_address address; /* its text is as the file has it */
    struct prefix *proxies;        /* the balancers that connect to it, each with a PROXY header; nobody else may */
    size_t proxy_count;            /* 0: clients themselves connect */
    uint16_t redirect_port; /* plain HTTP, and requests are sent on to https at that port; 0: TLS, and they are served */
};

struct config_limits {
    uint32_t handshake_timeout_ms;
    uint32_t request_header_timeout_ms;
    uint32_t idle_timeout_ms;
    uint32_t request_header_size; /* bytes */
    uint32_t connections;         /* for the whole process; if the file does not set it, the most: see server/capacity.h */
    unsigned connections_line;    /* the line that sets it; 0: none does */
    uint32_t certificate_chain_size; /* bytes */
    uint32_t response_headers;       /* of an origin's answer */
};

/* The bounds that keep one source from harming the others. */
struct config_admission {
    struct prefix *allow; /* sources that have no bounds, and count as known */
    size_t allow_count;
    struct source_limits source; /* of sources without a valid certificate lately */
    struct holder_limits holder; /* of one valid certificate */
};

/* The two stages of the end after SIGTERM: `drain` of the file. */
struct config_drain {
    uint32_t delay_ms;   /* for so long connections are accepted as before, while /readyz says 503 */
    uint32_t timeout_ms; /* from then on, until what is still in flight is cut */
};

/* How long an origin may keep a request waiting: `timeouts` of a host, or of one of its origins. In milliseconds. */
struct config_timeouts {
    uint32_t connect_ms;  /* for a connection to be made, or one of HTTP/2 to have room for the request */
    uint32_t response_ms; /* from the end of the request to the head of the answer */
    uint32_t body_ms;     /* between two pieces of the answer's body, and for the origin to take more of the request */
};

/* How an item of `origin` says where its requests go. */
enum config_origin_kind {
    CONFIG_ORIGIN_DIGITS,  /* one address and port */
    CONFIG_ORIGIN_NAME,    /* a host name and port: any number of addresses */
    CONFIG_ORIGIN_UNIX,    /* a Unix socket */
    CONFIG_ORIGIN_SERVICE, /* SRV records: any number of addresses, each with a rank */
};

/* One item of `origin`. */
struct config_origin {
    char *text; /* its `address` as the file has it; no two of a host have the same */
    enum config_origin_kind kind;
    struct config_timeouts timeouts;
    struct config_address *addresses; /* that it stood for when the file was loaded */
    struct dns_rank *ranks;           /* of these, where it is a service; else NULL */
    uint32_t ttl_s;                   /* for how long that holds, by DNS; UINT32_MAX: no name */
    size_t address_count; /* at most CONFIG_ORIGIN_ADDRESSES_MAX with those of its host's others; 0: a service without any */
    char *tls_name;       /* the host name or the address that it has to prove; NULL where its host has no origin_tls */
    uint32_t weight;      /* 1 to CONFIG_WEIGHT_MAX: its part of the requests */
    uint32_t in_flight;   /* requests that it gets at once, of the whole process; 0: no bound */
    bool backup;          /* gets requests only while no other one of the host is up */
};

/* `retry` of a host. */
struct config_retry {
    unsigned causes;   /* bits of config_retry_cause; 0: nothing is sent again but where no connection could be made */
    uint32_t attempts; /* after the first one, 1 to 10 */
    uint32_t budget;   /* percent of the host's requests, 1 to 100 */
};

/* The effect of response_headers and strict_transport_security on all answers alike. */
struct config_answer_rules {
    struct bytes constant;          /* header lines that are the same for all clients; owned; may be empty */
    struct http_removals *removals; /* names of headers that no origin's answer keeps; NULL: none */
};

/* A certificate chain, with its key. */
struct config_certificate {
    struct tls_credentials *credentials;
    char *path; /* of the chain's file */
};

/* TLS to the origins of a host: `origin_tls`. */
struct config_origin_tls {
    struct trust *trust;                   /* the roots that they are checked against */
    struct config_certificate certificate; /* for origins that ask for one; no credentials: there is none */
    bool only_tls13;
};

struct config_host {
    char *name;     /* lower case; "*.example.com" for a wildcard */
    uint32_t index; /* its place in config.hosts */
    bool is_default;
    bool is_tcp; /* its clients' bytes are relayed, whatever their protocol; else they speak HTTP */
    enum config_mode mode;
    struct config_certificate certificates[CONFIG_CERTIFICATES_MAX]; /* no two of one kind of key */
    size_t certificate_count;                                        /* at least 1 */
    struct trust *trust;                                             /* NULL when mode is off */
    struct revocation *revocation; /* NULL when mode is off or there is no client_auth.crl */
    bool advertise_ca_names;
    struct forward forward;      /* of requests: `forward`, and of request_headers all but what is added as it is */
    struct http_removals *strip; /* forward.strip and request_headers.remove: header names that its origins get from no
                                    client; NULL when absent */
    struct bytes request_lines;  /* header lines of requests that are the same for all clients; owned; may be empty */
    struct forward answers;      /* response_headers: what is set and added */
    struct config_answer_rules answer_rules;
    struct identity_policy policy;
    uint8_t ticket_scope[IDENTITY_DIGEST_SIZE]; /* of name, mode and policy: a session may be resumed within one scope */
    struct bytes deny_json;                     /* bodies of the 403; owned; never empty */
    struct bytes deny_html;
    char *methods; /* the methods that are relayed, as the header Allow has them; NULL: all. See methods.h */
    struct config_origin *origins;
    size_t origin_count; /* at least 1 */
    enum config_balance balance;
    struct config_retry retry;
    bool http2;                            /* its clients may speak HTTP/2 */
    struct config_origin_tls *origin_tls;  /* NULL: in the clear */
    bool origin_pool_off;                  /* each client's connection has its own to the origin */
    bool origin_http2;                     /* the origins speak HTTP/2; not together with origin_pool_off and origin_proxy */
    enum config_origin_proxy origin_proxy; /* unless it is OFF, each client's connection has its own to the origin */
    uint32_t tunnel_idle_ms;      /* how long no byte may pass in a tunnel, or in an answer that is a stream of events */
    struct config_health *health; /* NULL: its origins are not probed */
    bool required;                /* /readyz is 503 while none of its origins is up */
};

/* Returns the certificate of the host that ends first. */
const struct config_certificate *config_first_to_end(const struct config_host *host);
/* Returns how many addresses the host's origins had when the file was loaded. */
size_t config_count_addresses(const struct config_host *host);
/* Returns the rank of an origin's address, as of then. */
struct dns_rank config_rank(const struct config_origin *origin, size_t address);
/* Returns whether DNS says the addresses of an origin, and may say others later. */
bool config_is_name(const struct config_origin *origin);
/* Returns how many of the host's origins are such names. */
size_t config_count_names(const struct config_host *host);

/* config_release frees each member that owns memory, and each part that is missing (NULL) is none to it. */
struct config {
    atomic_uint references;
    char *path;
    struct config_listener *listen;
    size_t listen_count;
    struct config_address admin_address; /* its text is NULL when `admin` is absent */
    char **admin_names;                  /* host names by which it may be asked, lower case */
    size_t admin_name_count;
    uint32_t shards; /* 0: auto */
    struct config_limits limits;
    struct config_drain drain;
    struct config_admission admission;
    uint32_t cert_cache_entries;
    uint32_t ticket_lifetime_s;
    enum config_post_quantum prefer_post_quantum;
    char *access_log;  /* NULL: off */
    char *dns_servers; /* that are asked for the names of origins, as dns/lookup has them; NULL: the system's */
    struct config_host *hosts;
    size_t host_count;
    struct config_host **exact; /* sorted by name */
    size_t exact_count;
    struct config_host **wildcards; /* sorted by the part behind "*" */
    size_t wildcard_count;
    struct config_host *default_host; /* NULL when none */
    struct http_removals *removals;
    struct config_problems warnings; /* of a file that is served as it says, but hardly as it is meant; by line */
};

struct config *config_retain(struct config *config);
void config_release(struct config *config);

/*
 * Returns the host for a server name (lower case, no trailing dot): an exact name, else a wildcard of one label. "" is the
 * default host. NULL when there is none: the answer is the alert unrecognized_name. Implemented in lookup.c.
 */
const struct config_host *config_find_host(const struct config *config, const char *name);

/*
 * Returns the place in host->certificates of the one to serve to a client: the first whose key and whose chain's signatures
 * the client can verify, else the first whose key it can (RFC 8446 section 4.4.2.2). When it can verify none, 0: TLS refuses
 * the client. Implemented in lookup.c.
 */
size_t config_choose_certificate(const struct config_host *host, const struct hello *hello);

#endif

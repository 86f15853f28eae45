// Shows the document. A file of its own, because the page allows no script within it.
const place = document.getElementById("api");
const csrfToken = document.querySelector("meta[name=csrf-token]").content;

SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  validatorUrl: null,
  // Whoever is signed in can try it: the session's cookie travels by itself, and this shows that our page asks.
  requestInterceptor: (request) => {
    if (csrfToken && !request.headers.Authorization) request.headers["X-CSRF-Token"] = csrfToken;
    return request;
  },
});

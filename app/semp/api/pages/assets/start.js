// Shows the OpenAPI document of this service. A file of its own, since the page's policy runs no script that stands in it.
const place = document.getElementById("api");
SwaggerUIBundle({ url: place.dataset.document, domNode: place, deepLinking: true, validatorUrl: null, tryItOutEnabled: true });

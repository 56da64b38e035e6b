// Shows the OpenAPI document of this service. It is a separate file because the page's content security policy forbids inline scripts.
const place = document.getElementById("api");
SwaggerUIBundle({ url: place.dataset.document, domNode: place, deepLinking: true, validatorUrl: null, tryItOutEnabled: true });
